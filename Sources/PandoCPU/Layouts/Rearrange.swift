import COneDNN
import CPandoKernels
import PandoEngine
import PandoIR

/// Copies a tensor from one layout into another.
struct Rearrange: EngineOperation {
  static let name = "rearrange"
  static let operandCount: Int? = 1

  /// The tensor's plain type.
  let type: TensorType
  let from: TensorLayout
  let to: TensorLayout

  init(_ type: TensorType, from: TensorLayout, to: TensorLayout) {
    self.type = type
    self.from = from
    self.to = to
  }

  var traits: Traits { .movement }

  /// Whether both layouts are the same bytes: one place for each sample.
  var movesNothing: Bool {
    guard from.block != nil || to.block != nil, type.shape.dropFirst(2).allSatisfy({ $0 == 1 }) else {
      return false
    }
    return [from, to].allSatisfy { $0 == .plain || $0.block != nil }
  }

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands[0] == from.type(type) else {
      throw TypeError(self, "takes \(from.type(type)), got \(operands[0])")
    }
    return [to.type(type)]
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    if type.count == 0 { return Kernel(always: { _ in }) }
    let (bytes, team) = (type.dtype.byteCount, Int32(threads))
    switch (from, to) {
    case (.plain, .packed(let weights)):
      return try weights.convolution.packingKernel(unpacks: false, threads: threads)
    case (.packed(let weights), .plain):
      return try weights.convolution.packingKernel(unpacks: true, threads: threads)
    // Copies of our own take elements of any type.
    case (.plain, .blocked(let block)):
      let sizes = BlockedChannels(type, block: block).sizes
      return Kernel { Int32(pk_block_pack($0[1], $0[0], sizes, bytes, team).rawValue) }
    case (.blocked(let block), .plain):
      let sizes = BlockedChannels(type, block: block).sizes
      return Kernel { Int32(pk_block_unpack($0[1], $0[0], sizes, bytes, team).rawValue) }
    default:
      let (out, back) = (
        try Rearrange(type, from: from, to: .plain).lower(operands, [type], threads: threads),
        try Rearrange(type, from: .plain, to: to).lower([type], results, threads: threads)
      )
      return Kernel.sequence(
        [(out, [.operand(0), .workspace(0)]), (back, [.workspace(0), .result(0)])], operandCount: 1,
        resultCount: 1, temporaries: [type.byteCount])
    }
  }
}

extension TensorLayout {
  /// The library's name; weights are packed for a convolution.
  var library: pdnn_layout {
    switch self {
    case .plain: pdnn_layout(kind: PDNN_PLAIN, block: 0)
    case .blocked(let block): pdnn_layout(kind: PDNN_BLOCKED, block: Int64(block))
    case .packed: pdnn_layout(kind: PDNN_PACKED, block: 0)
    }
  }
}

extension DType {
  /// The library's name for the two types in which it convolves.
  var library: pdnn_dtype { self == .bfloat16 ? PDNN_BF16 : PDNN_F32 }
}
