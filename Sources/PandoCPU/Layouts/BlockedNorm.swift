import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// The sizes of a norm over channels in blocks.
struct BlockedChannels: Hashable, Sendable, Codable {
  /// The plain type of x.
  let x: TensorType
  let block: Int
  let epsilon: Double

  init(_ x: TensorType, block: Int, epsilon: Double = 0) {
    self.x = x
    self.block = block
    self.epsilon = epsilon
  }

  /// Whether the kernels take them.
  static func fit(_ x: TensorType, block: Int, parameters: TensorType) -> Bool {
    block.isMultiple(of: 8) && x.count > 0 && RowSizes.fits(x, parameters: parameters)
  }

  /// The type of x in blocks.
  var blocked: TensorType { TensorLayout.blocked(block).type(x) }

  /// One number for each channel.
  func parameter(_ dtype: DType) -> TensorType { TensorType([x.shape[1]], dtype) }

  var sizes: pk_blocks {
    pk_blocks(
      n: Int64(x.shape[0]), channels: Int64(x.shape[1]), size: Int64(x.shape.dropFirst(2).reduce(1, *)),
      block: Int64(block))
  }

  /// Arithmetic by place, and traffic.
  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 10 * x.count, operands: operands, results: results)
  }
}

/// `BatchNorm` of channels in blocks, and what often follows it.
///
/// Operands: x, weight, bias and, where it has one, a residual like x that is added. Results: y, mean, variance.
struct BlockedNorm: EngineOperation {
  static let name = "blocked_norm"
  static let operandCount: Int? = nil

  let channels: BlockedChannels
  /// Whether the operands hold a residual.
  var hasResidual = false
  /// Whether what is below 0 becomes 0.
  var rectifies = false

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let parameter = channels.parameter(operands[1].dtype)
    let expected = [channels.blocked, parameter, parameter] + (hasResidual ? [channels.blocked] : [])
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return [channels.blocked, channels.parameter(.float32), channels.parameter(.float32)]
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { channels.cost(operands, results) }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (sizes, epsilon, rectifies) = (channels.sizes, channels.epsilon, Int32(rectifies ? 1 : 0))
    let (dtype, parameters) = (operands[0].dtype.kernel, operands[1].dtype.kernel)
    let (count, hasResidual) = (operands.count, hasResidual)
    return Kernel(
      workspaceBytes: pk_block_norm_workspace(sizes), inPlace: [hasResidual ? [0, 3] : [0], [], []]
    ) {
      Int32(
        pk_block_norm(
          $0[count], $0[count + 1].floats, $0[count + 2].floats, $0[0], $0[1], $0[2],
          hasResidual ? $0[3] : nil, rectifies, sizes, epsilon, dtype, parameters, $0[count + 3],
          Int32(threads)
        ).rawValue)
    }
  }
}

/// `BatchNormInference` of channels in blocks.
///
/// Operands: x, weight, bias, mean, variance; result: y.
struct BlockedNormInference: EngineOperation {
  static let name = "blocked_norm_inference"
  static let operandCount: Int? = 5

  let channels: BlockedChannels

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let parameter = channels.parameter(operands[1].dtype)
    let expected = [channels.blocked] + Array(repeating: parameter, count: 4)
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return [channels.blocked]
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { channels.cost(operands, results) }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (sizes, epsilon) = (channels.sizes, channels.epsilon)
    let (dtype, parameters) = (operands[0].dtype.kernel, operands[1].dtype.kernel)
    return Kernel(workspaceBytes: pk_block_norm_workspace(sizes), inPlace: [[0]]) {
      Int32(
        pk_block_norm_inference(
          $0[5], $0[0], $0[1], $0[2], $0[3], $0[4], nil, 0, sizes, epsilon, dtype, parameters, $0[6],
          Int32(threads)
        ).rawValue)
    }
  }
}

extension BatchNorm: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    let x = node.operands[0].type
    guard let block = surroundings.homes[0].block,
      BlockedChannels.fit(x, block: block, parameters: node.operands[1].type)
    else { return nil }
    return Arrangement(
      BlockedNorm(channels: BlockedChannels(x, block: block, epsilon: epsilon)),
      operands: [.blocked(block), .plain, .plain], results: [.blocked(block), .plain, .plain])
  }
}

extension BatchNormInference: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    let x = node.operands[0].type
    guard let block = surroundings.homes[0].block, Set(node.operands[1...].map(\.type)).count == 1,
      BlockedChannels.fit(x, block: block, parameters: node.operands[1].type)
    else { return nil }
    return Arrangement(
      BlockedNormInference(channels: BlockedChannels(x, block: block, epsilon: epsilon)),
      operands: [.blocked(block), .plain, .plain, .plain, .plain], results: [.blocked(block)])
  }
}
