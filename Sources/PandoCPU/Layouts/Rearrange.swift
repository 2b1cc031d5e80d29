import COneDNN
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
    pdnn_set_threads(Int32(threads))
    let made =
      switch (from, to) {
      case (_, .packed(let weights)): weights.convolution.packing(unpacks: false)
      case (.packed(let weights), _): weights.convolution.packing(unpacks: true)
      default:
        pdnn_reorder_create(
          Int32(type.rank), type.shape.map(Int64.init), type.dtype.library, from.library, to.library)
      }
    guard let made else {
      throw EngineError("a rearrangement of \(type): oneDNN's \(String(cString: pdnn_last_error()))")
    }
    return OneDNNPrimitive(made).kernel(operandCount: 1)
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
