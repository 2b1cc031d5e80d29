import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// `BatchNormGradient` of channels in blocks, and of what often follows the norm.
///
/// Operands: x, weight, mean, variance, the cotangent dy of the result, and for a rectified result what its mask asks
/// for. Results: dx, dweight, dbias and, where it is kept, what of dy passed the rectifier.
struct BlockedNormGradient: EngineOperation {
  static let name = "blocked_norm_gradient"
  static let operandCount: Int? = nil

  /// How it is known where the result was rectified.
  enum Mask: String, Hashable, Sendable, Codable {
    /// It was not.
    case none
    /// The rectified result is an operand.
    case result
    /// The norm's bias is an operand, and its result is computed once more.
    case recomputed
  }

  let channels: BlockedChannels
  var mask = Mask.none
  /// Whether what passed the rectifier is a result too.
  var keepsMasked = false

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, parameter) = (channels.blocked, channels.parameter(operands[1].dtype))
    var expected = [x, parameter, channels.parameter(.float32), channels.parameter(.float32), x]
    switch mask {
    case .none: break
    case .result: expected.append(x)
    case .recomputed: expected.append(parameter)
    }
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return [x, parameter, parameter] + (keepsMasked ? [x] : [])
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { channels.cost(operands, results) }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (sizes, epsilon) = (channels.sizes, channels.epsilon)
    let (dtype, parameters) = (operands[0].dtype.kernel, operands[1].dtype.kernel)
    let (first, end, keepsMasked, mask) = (
      operands.count, operands.count + results.count, keepsMasked, mask
    )
    let library =
      switch mask {
      case .none: PK_MASK_NONE
      case .result: PK_MASK_RESULT
      case .recomputed: PK_MASK_RECOMPUTED
      }
    // What passed is written in the first sweep, while the second still reads x, and dx in the second.
    return Kernel(
      workspaceBytes: pk_block_norm_workspace(sizes),
      inPlace: keepsMasked ? [[0], [], [], [4]] : [[4, 0], [], []]
    ) {
      Int32(
        pk_block_norm_backward(
          $0[first], $0[first + 1], $0[first + 2], keepsMasked ? $0[first + 3] : nil, $0[4], $0[0],
          mask == .result ? $0[5] : nil, $0[1], mask == .recomputed ? $0[5] : nil, $0[2].floats, $0[3].floats,
          library, sizes, epsilon, dtype, parameters, $0[end], Int32(threads)
        ).rawValue)
    }
  }
}

extension BatchNormGradient: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    let x = node.operands[0].type
    guard let block = surroundings.block(of: [0, 4]),
      BlockedChannels.fit(x, block: block, parameters: node.operands[1].type)
    else { return nil }
    let blocked = TensorLayout.blocked(block)
    return Arrangement(
      BlockedNormGradient(channels: BlockedChannels(x, block: block, epsilon: epsilon)),
      operands: [blocked, .plain, .plain, .plain, blocked], results: [blocked, .plain, .plain])
  }
}
