import PandoIR

/// What the optimizers' updates check alike.
extension CompositeOperation {
  /// The parameter's type; the other tensors have its shape, each its own floating-point type, and the rest are
  /// floating-point scalars.
  func checkUpdate(
    tensors: [(TensorType, String)], scalars: [(TensorType, String)]
  ) throws(TypeError) {
    for (type, role) in tensors {
      try checkFloating(type, role)
      guard type.shape == tensors[0].0.shape else {
        throw TypeError(self, "\(role) must have the shape of the parameter \(tensors[0].0), got \(type)")
      }
    }
    for (type, role) in scalars {
      guard type.shape.isEmpty, type.dtype.isFloatingPoint else {
        throw TypeError(self, "\(role) must be a floating-point scalar, got \(type)")
      }
    }
  }

  /// An attribute in `range`.
  func check(_ value: Double, in range: Range<Double>, _ role: String) throws(TypeError) {
    guard range.contains(value) else {
      let (low, high) = (range.lowerBound, range.upperBound)
      throw TypeError(self, "\(role) must be at least \(low) and below \(high), got \(value)")
    }
  }

  /// An attribute that is 0 or more.
  func checkNotNegative(_ value: Double, _ role: String) throws(TypeError) {
    guard value >= 0, value.isFinite else {
      throw TypeError(self, "\(role) must be 0 or more, got \(value)")
    }
  }

  /// Tensors are split alike, scalars are everywhere.
  func updateRule(rank: Int, tensors: Int, scalars: Int, results: Int) -> ShardingRule {
    let labels = ShardingRule.labels(rank)
    return ShardingRule(
      operands: Array(repeating: labels, count: tensors) + Array(repeating: "", count: scalars),
      results: Array(repeating: labels, count: results))
  }
}
