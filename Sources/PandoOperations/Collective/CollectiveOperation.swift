import PandoIR

extension ExchangeOperation {
  public var traits: Traits { .collective }
}

extension CollectiveOperation {
  /// A group has at least one rank, and axes where it has more.
  func checkGroup() throws(TypeError) {
    guard parts > 0, parts == 1 || !axes.isEmpty else {
      throw TypeError(self, "a group of \(parts) ranks along the axes \(axes) does not exist")
    }
  }

  /// `x` with a dimension cut into as many parts as there are ranks.
  func divided(_ x: TensorType, _ dimension: Int) throws(TypeError) -> TensorType {
    let size = try self.size(of: dimension, x)
    guard size.isMultiple(of: parts) else {
      let error = ShardingError.uneven(size, over: axes, parts, "dimension \(dimension) of \(x)")
      throw TypeError(self, error.description)
    }
    var shape = x.shape
    shape[dimension] /= parts
    return x.with(shape: shape)
  }

  /// `x` with a dimension as many times as large as there are ranks.
  func multiplied(_ x: TensorType, _ dimension: Int) throws(TypeError) -> TensorType {
    let (size, overflow) = try self.size(of: dimension, x).multipliedReportingOverflow(by: parts)
    guard !overflow else { throw TypeError(self, "\(parts) times \(x) is too large to address") }
    var shape = x.shape
    shape[dimension] = size
    return x.with(shape: shape)
  }

  private func size(of dimension: Int, _ x: TensorType) throws(TypeError) -> Int {
    try checkGroup()
    guard x.shape.indices.contains(dimension) else {
      throw TypeError(self, "\(x) has no dimension \(dimension)")
    }
    return x.shape[dimension]
  }

  /// The share of `bytes` that a rank has to send where each of `parts` equal pieces but its own goes elsewhere.
  func others(of bytes: Int) -> Int { bytes * (parts - 1) / parts }

  /// The rule of an operation on parts, which is not cut once more.
  func wholeRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ShardingRule.labels(operands.first?.rank ?? 0)
    let results = (try? resultTypes(operands)) ?? []
    let others = ShardingRule.labels(results.first?.rank ?? 0, from: labels.count)
    return ShardingRule(
      operands: operands.map { _ in labels }, results: results.map { _ in others },
      whole: Set(labels + others))
  }

  /// A collective is not partitioned again.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule { wholeRule(operands) }
}

extension GraphBuilder {
  /// `x` with dimension `dimension` seen as `parts` times the rest, and these parts brought to the front.
  mutating func partsFirst(_ x: Value, _ dimension: Int, _ parts: Int) throws(TypeError) -> Value {
    var shape = x.type.shape
    shape[dimension] /= parts
    shape.insert(parts, at: dimension)
    let order = [dimension] + shape.indices.filter { $0 != dimension }
    return try transpose(reshape(x, shape), order)
  }

  /// The way back: the first dimension goes before dimension `dimension` of the rest and is merged with it.
  mutating func partsMerged(_ x: Value, _ dimension: Int) throws(TypeError) -> Value {
    var order = Array(1..<x.type.rank)
    order.insert(0, at: dimension)
    let moved = try transpose(x, order)
    var shape = moved.type.shape
    shape[dimension] *= shape.remove(at: dimension + 1)
    return try reshape(moved, shape)
  }
}

extension TensorType {
  /// Whether the parts along a dimension lie behind each other in memory.
  package func isContiguous(_ dimension: Int) -> Bool { shape[..<dimension].allSatisfy { $0 == 1 } }
}
