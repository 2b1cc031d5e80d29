import Pando

/// The gradients of all parameters behind each other, and behind them what is always added up exactly: the loss, the
/// running statistics.
package struct GradientVector {
  package let buffer: HostBuffer
  let layout: FlatLayout
  /// The parameters' names; the first tensors of the layout are their gradients.
  let names: [String]

  /// Zeros.
  package init(names: [String], types: [TensorType]) {
    layout = FlatLayout(types)
    self.names = names
    buffer = HostBuffer(TensorType([layout.count]))
  }

  /// All tensors.
  package var views: [HostBuffer] { layout.views(of: buffer) }
  /// Elements before the exact part, the gaps between tensors among them.
  var gradientCount: Int { names.count < layout.offsets.count ? layout.offsets[names.count] : layout.count }
  /// Elements of all gradients.
  var elementCount: Int { layout.types.prefix(names.count).reduce(0) { $0 + $1.count } }

  /// The gradients as one vector; the memory is this one's.
  var gradients: HostBuffer { HostBuffer(TensorType([gradientCount]), borrowing: buffer.pointer) }

  /// A vector's tensors in the layout of the gradients, by the parameters' names.
  func views(of vector: HostBuffer) -> [HostBuffer] {
    zip(layout.types, layout.offsets).prefix(names.count).map {
      HostBuffer($0, borrowing: vector.pointer + $1 * 4)
    }
  }

  /// Adds up what is behind the gradients.
  func sumTail(_ communicator: any Communicator) throws {
    guard layout.count > gradientCount else { return }
    let tail = UnsafeMutableRawBufferPointer(rebasing: buffer.mutableBytes[(gradientCount * 4)...])
    try withExtendedLifetime(buffer) {
      try communicator.allReduce(tail, of: .float32, label: "loss and statistics")
    }
  }
}
