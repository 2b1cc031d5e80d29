import PandoIR
import PandoOperations

/// The algebra: for an operation and its (already simplified) operands, a simpler value, or `nil`.
enum Rules {
  static func simplified(
    _ operation: any PandoIR.Operation, _ operands: [Value], _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    switch operation {
    case let operation as Unary: return try unary(operation, operands[0], &builder, facts)
    case let operation as Binary: return try binary(operation, operands[0], operands[1], &builder, facts)
    case is Select: return select(operands, facts)
    case let operation as Convert: return try convert(operation, operands[0], &builder, facts)
    case let operation as Broadcast: return try broadcast(operation, operands[0], &builder, facts)
    case let operation as Reshape: return try reshape(operation, operands[0], &builder, facts)
    case let operation as Transpose: return try transpose(operation, operands[0], &builder, facts)
    case let operation as Reduce: return try reduce(operation, operands[0], &builder, facts)
    case let operation as Contraction: return try contraction(operation, operands, &builder, facts)
    default: return nil
    }
  }

  private static func unary(
    _ operation: Unary, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    if x.type.dtype.isFloatingPoint, operation.function != .isFinite, let value = facts.splat(x) {
      return try builder.constant(operation.function.apply(value), x.type)
    }
    if operation.function == .negate, let inner = facts.producer(x),
      (inner.operation as? Unary) == Unary(.negate)
    {
      return inner.operands[0]
    }
    return nil
  }

  private static func binary(
    _ operation: Binary, _ x: Value, _ y: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    let (a, b) = (facts.splat(x), facts.splat(y))
    if x.type.dtype.isFloatingPoint, let a, let b {
      return try builder.constant(operation.function.apply(a, b), x.type)
    }
    switch operation.function {
    // x + (-0) keeps every x; x + 0 turns -0 into 0, which nothing after it can tell apart but 1 / x.
    case .add: return try b == 0 ? x : a == 0 ? y : sideBySide(x, y, &builder, facts)
    case .subtract: return b == 0 ? x : nil
    case .multiply: return b == 1 ? x : a == 1 ? y : nil
    case .divide: return b == 1 ? x : nil
    case .power: return b == 1 ? x : nil
    default: return nil
    }
  }

  private static func select(_ operands: [Value], _ facts: Facts) -> Value? {
    if let condition = facts.splat(operands[0]) { return condition != 0 ? operands[1] : operands[2] }
    return operands[1] == operands[2] ? operands[1] : nil
  }

  private static func convert(
    _ operation: Convert, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    if operation.dtype == x.type.dtype { return x }
    if let value = facts.splat(x), operation.dtype.isFloatingPoint {
      return try builder.constant(value, x.type.with(dtype: operation.dtype))
    }
    return nil
  }

  private static func broadcast(
    _ operation: Broadcast, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    if operation.shape == x.type.shape { return x }
    guard let inner = facts.producer(x) else { return nil }
    if let before = inner.operation as? Broadcast {
      let dimensions = before.dimensions.map { operation.dimensions[$0] }
      let source = inner.operands[0].type.shape
      // A dimension of size 1 that the inner broadcast repeated may be repeated at once.
      let fits = zip(source, dimensions).allSatisfy { $0 == 1 || $0 == operation.shape[$1] }
      return fits
        ? try builder.broadcast(inner.operands[0], to: operation.shape, dimensions: dimensions) : nil
    }
    // Size-1 dimensions that a reshape put in say nothing to a broadcast that repeats them.
    if inner.operation is Reshape {
      let source = inner.operands[0].type.shape
      let kept = x.type.shape.indices.filter { x.type.shape[$0] != 1 }
      let from = source.indices.filter { source[$0] != 1 }
      guard from.count == source.count, kept.map({ x.type.shape[$0] }) == source else { return nil }
      return try builder.broadcast(
        inner.operands[0], to: operation.shape, dimensions: kept.map { operation.dimensions[$0] })
    }
    return nil
  }

  private static func reshape(
    _ operation: Reshape, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    if operation.shape == x.type.shape { return x }
    if let value = facts.splat(x) { return try builder.constant(value, x.type.with(shape: operation.shape)) }
    guard let inner = facts.producer(x), inner.operation is Reshape else { return nil }
    return try builder.reshape(inner.operands[0], operation.shape)
  }

  private static func transpose(
    _ operation: Transpose, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    let permutation = operation.permutation
    if permutation == Array(permutation.indices) { return x }
    // Moving size-1 dimensions does not move elements.
    let moved = permutation.filter { x.type.shape[$0] != 1 }
    if moved == moved.sorted() { return try builder.reshape(x, permutation.map { x.type.shape[$0] }) }
    guard let inner = facts.producer(x), let before = inner.operation as? Transpose else { return nil }
    return try builder.transpose(inner.operands[0], permutation.map { before.permutation[$0] })
  }

  private static func reduce(
    _ operation: Reduce, _ x: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    let dtype = operation.resultDType ?? x.type.dtype
    if operation.dimensions.isEmpty { return try builder.convert(x, to: dtype) }
    if operation.dimensions.allSatisfy({ x.type.shape[$0] == 1 }) {
      return try builder.convert(
        builder.reshape(
          x, x.type.shape.indices.filter { !operation.dimensions.contains($0) }.map { x.type.shape[$0] }),
        to: dtype)
    }
    guard let value = facts.splat(x), x.type.dtype.isFloatingPoint, dtype == x.type.dtype else { return nil }
    let count = Double(operation.dimensions.reduce(1) { $0 * x.type.shape[$1] })
    let shape = x.type.shape.indices.filter { !operation.dimensions.contains($0) }.map { x.type.shape[$0] }
    switch operation.function {
    case .sum: return try builder.constant(value * count, x.type.with(shape: shape))
    case .maximum, .minimum: return try builder.constant(value, x.type.with(shape: shape))
    case .product: return nil
    }
  }

  /// A transposed operand is the same contraction with other labels.
  private static func contraction(
    _ operation: Contraction, _ operands: [Value], _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    func untransposed(_ value: Value, _ labels: String) -> (Value, String)? {
      guard let node = facts.producer(value), let transpose = node.operation as? Transpose else { return nil }
      var source = Array(labels)
      for (label, from) in zip(labels, transpose.permutation) { source[from] = label }
      return (node.operands[0], String(source))
    }
    let (lhs, rhs) = (untransposed(operands[0], operation.lhs), untransposed(operands[1], operation.rhs))
    guard lhs != nil || rhs != nil else { return nil }
    let (x, y) = (lhs ?? (operands[0], operation.lhs), rhs ?? (operands[1], operation.rhs))
    let relabelled = Contraction(
      lhs: x.1, rhs: y.1, result: operation.result, dtype: operation.resultDType)
    return try builder.emit(relabelled, x.0, y.0)
  }
}
