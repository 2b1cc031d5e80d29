import PandoIR

extension DType {
  /// The type in which composites compute and in which they keep statistics: `float64` for `float64`, otherwise
  /// `float32`. A 16-bit operand is widened first and a result rounded once, as a fused kernel does.
  public var accumulator: DType { self == .float64 ? .float64 : .float32 }
}

extension Accumulating {
  /// The element type of the result, checked: the operand's own, or its accumulator's.
  func accumulatedDType(_ x: TensorType) throws(TypeError) -> DType {
    guard let dtype = resultDType else { return x.dtype }
    guard dtype == x.dtype || (x.dtype.isFloatingPoint && dtype == x.dtype.accumulator) else {
      throw TypeError(self, "cannot sum \(x) to \(dtype.rawValue); leave the result's type out")
    }
    return dtype
  }
}

extension GraphBuilder {
  /// `x` in its accumulator type.
  package mutating func widen(_ x: Value) throws(TypeError) -> Value {
    try convert(x, to: x.type.dtype.accumulator)
  }

  /// Whether `value` is a zero that a rule has been handed for a result that nobody uses.
  ///
  /// Rules leave out the terms of such cotangents: a pass may not drop `0 * x`, because `x` may be NaN.
  package func isZero(_ value: Value) -> Bool {
    guard let node = graph.nodes.last(where: { $0.results.contains(value) }) else { return false }
    if let constant = node.operation as? Constant { return constant.bytes.allSatisfy { $0 == 0 } }
    return node.operation is Broadcast && isZero(node.operands[0])
  }
}

/// Checks that several composites make of their operands.
extension CompositeOperation {
  /// `type` must be floating point; `role` says which operand it is.
  func checkFloating(_ type: TensorType, _ role: String) throws(TypeError) {
    guard type.dtype.isFloatingPoint else {
      throw TypeError(self, "\(role) must be floating point, got \(type); convert it first")
    }
  }

  /// `type` must be `expected`.
  func check(_ type: TensorType, is expected: TensorType, _ role: String) throws(TypeError) {
    guard type == expected else { throw TypeError(self, "\(role) must be \(expected), got \(type)") }
  }

  /// A weight or bias must have `shape` and the element type of `x` or of its statistics.
  func checkParameter(
    _ type: TensorType, shape: [Int], for x: TensorType, _ role: String
  ) throws(TypeError) {
    guard type.shape == shape, type.dtype == x.dtype || type.dtype == x.dtype.accumulator else {
      let expected = x.with(shape: shape)
      throw TypeError(self, "\(role) must be \(expected) for \(x), got \(type)")
    }
  }

  /// `dimension` must be one of `x` that is not empty.
  func check(dimension: Int, of x: TensorType) throws(TypeError) {
    guard x.shape.indices.contains(dimension) else {
      throw TypeError(self, "dimension \(dimension) is none of \(x); give one from 0 to \(x.rank - 1)")
    }
    guard x.shape[dimension] > 0 else {
      throw TypeError(self, "dimension \(dimension) of \(x) is empty, and has no largest element")
    }
  }

  /// What is added to a variance or mean square must not be negative.
  func check(epsilon: Double) throws(TypeError) {
    guard epsilon >= 0, epsilon.isFinite else {
      throw TypeError(self, "epsilon must be 0 or a small positive number, got \(epsilon)")
    }
  }
}
