import PandoIR
import PandoOperations

/// A value as elements of a tensor that lies in memory already: what transposes, slices and reshapes would only copy.
struct StridedView {
  /// The tensor.
  let source: Value
  /// The place of the first element in it.
  let offset: Int
  /// The distance of neighbours along each dimension.
  let strides: [Int]

  /// Looks through the nodes that make a value, as far as strides can tell what they do.
  init(_ value: Value, in surroundings: Neighbourhood) {
    self.init(whole: value)
    guard let node = surroundings.maker(of: value) else { return }
    func inner() -> StridedView { StridedView(node.operands[0], in: surroundings) }
    switch node.operation {
    case let transpose as Transpose:
      let view = inner()
      self = StridedView(view.source, view.offset, transpose.permutation.map { view.strides[$0] })
    case let slice as Slice:
      let view = inner()
      let start = zip(slice.starts, view.strides).reduce(0) { $0 + $1.0 * $1.1 }
      self = StridedView(view.source, view.offset + start, zip(slice.strides, view.strides).map { $0 * $1 })
    case is Reshape:
      let view = inner()
      if let strides = Self.split(node.operands[0].type.shape, view.strides, value.type.shape) {
        self = StridedView(view.source, view.offset, strides)
      }
    default: break
    }
  }

  private init(_ source: Value, _ offset: Int, _ strides: [Int]) {
    (self.source, self.offset, self.strides) = (source, offset, strides)
  }

  private init(whole value: Value) { self.init(value, 0, value.type.strides) }

  /// Strides where a reshape cuts dimensions into several; `nil` where it does anything else.
  private static func split(_ from: [Int], _ strides: [Int], _ to: [Int]) -> [Int]? {
    var result: [Int] = []
    var place = 0
    for (size, stride) in zip(from, strides) {
      var sizes: [Int] = []
      var product = 1
      while product < size || sizes.isEmpty, place < to.count {
        sizes.append(to[place])
        product *= to[place]
        place += 1
      }
      guard product == size else { return nil }
      var inner = stride
      result += sizes.reversed().map { size in
        defer { inner *= size }
        return inner
      }.reversed()
    }
    return place == to.count ? result : nil
  }
}
