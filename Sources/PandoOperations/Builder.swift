import PandoIR

/// Short names for the operations that rules emit most.
extension GraphBuilder {
  /// `value`, rounded to the type's elements and broadcast to its shape.
  public mutating func constant(_ value: Double, _ type: TensorType) throws(TypeError) -> Value {
    let scalar = try emit(Constant(value, type.dtype))
    return try broadcast(scalar, to: type.shape, dimensions: [])
  }

  /// `value` in the type of `other`.
  public mutating func constant(_ value: Double, like other: Value) throws(TypeError) -> Value {
    try constant(value, other.type)
  }

  /// `function` of every element.
  public mutating func unary(_ function: Unary.Function, _ x: Value) throws(TypeError) -> Value {
    try emit(Unary(function), x)
  }

  /// `function` of each pair of elements; shapes are equal.
  public mutating func binary(_ function: Binary.Function, _ x: Value, _ y: Value) throws(TypeError) -> Value
  {
    try emit(Binary(function), x, y)
  }

  /// -x
  public mutating func negate(_ x: Value) throws(TypeError) -> Value { try unary(.negate, x) }
  /// x + y
  public mutating func add(_ x: Value, _ y: Value) throws(TypeError) -> Value { try binary(.add, x, y) }
  /// x - y
  public mutating func subtract(_ x: Value, _ y: Value) throws(TypeError) -> Value {
    try binary(.subtract, x, y)
  }
  /// x * y
  public mutating func multiply(_ x: Value, _ y: Value) throws(TypeError) -> Value {
    try binary(.multiply, x, y)
  }
  /// x / y
  public mutating func divide(_ x: Value, _ y: Value) throws(TypeError) -> Value { try binary(.divide, x, y) }

  /// x * factor
  public mutating func scale(_ x: Value, _ factor: Double) throws(TypeError) -> Value {
    try multiply(x, constant(factor, like: x))
  }

  /// `x direction y`
  public mutating func compare(
    _ direction: Compare.Direction, _ x: Value, _ y: Value
  ) throws(TypeError) -> Value { try emit(Compare(direction), x, y) }

  /// `condition ? x : y`
  public mutating func select(_ condition: Value, _ x: Value, _ y: Value) throws(TypeError) -> Value {
    try emit(Select(), condition, x, y)
  }

  /// The elements as `dtype`; nothing is emitted where they are that already.
  public mutating func convert(_ x: Value, to dtype: DType) throws(TypeError) -> Value {
    x.type.dtype == dtype ? x : try emit(Convert(to: dtype), x)
  }

  /// Broadcasts; operand dimension `i` becomes result dimension `dimensions[i]`.
  public mutating func broadcast(
    _ x: Value, to shape: [Int], dimensions: [Int]
  ) throws(TypeError) -> Value {
    if x.type.shape == shape && dimensions == Array(0..<shape.count) { return x }
    return try emit(Broadcast(shape: shape, dimensions: dimensions), x)
  }

  /// Puts back dimensions that a reduction of `reduced` dropped, by repetition.
  public mutating func broadcast(
    _ x: Value, to shape: [Int], restoring reduced: [Int]
  ) throws(TypeError) -> Value {
    try broadcast(x, to: shape, dimensions: shape.indices.filter { !reduced.contains($0) })
  }

  /// The same elements in another shape; nothing is emitted where it is that already.
  public mutating func reshape(_ x: Value, _ shape: [Int]) throws(TypeError) -> Value {
    x.type.shape == shape ? x : try emit(Reshape(shape), x)
  }

  /// Result dimension `i` is operand dimension `permutation[i]`; nothing is emitted for the identity.
  public mutating func transpose(_ x: Value, _ permutation: [Int]) throws(TypeError) -> Value {
    permutation == Array(permutation.indices) ? x : try emit(Transpose(permutation), x)
  }

  /// Combines the elements along `dimensions`, which the result drops; nothing is emitted for none.
  public mutating func reduce(
    _ function: Reduce.Function, _ x: Value, _ dimensions: [Int]
  ) throws(TypeError) -> Value {
    dimensions.isEmpty ? x : try emit(Reduce(function, dimensions), x)
  }

  /// The mean along `dimensions`, which the result drops.
  public mutating func mean(_ x: Value, _ dimensions: [Int]) throws(TypeError) -> Value {
    let count = dimensions.reduce(1) { $0 * x.type.shape[$1] }
    return try scale(reduce(.sum, x, dimensions), 1 / Double(count))
  }

  /// A product that sums over the labels that the result lacks: `contract("ik,kj->ij", x, y)`.
  public mutating func contract(_ labels: String, _ x: Value, _ y: Value) throws(TypeError) -> Value {
    try emit(Contraction(labels), x, y)
  }
}
