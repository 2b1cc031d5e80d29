import PandoIR

/// Combines two tensors of one type element by element.
public struct Binary: Operation {
  /// The functions; names follow StableHLO.
  public enum Function: String, Hashable, Sendable, Codable, CaseIterable {
    case add, subtract, multiply, divide, remainder, power
    case maximum, minimum
    case and, or, xor, shiftLeft, shiftRightLogical
  }

  public static let name = "binary"
  public static let operandCount: Int? = 2

  /// What is applied.
  public let function: Function

  /// `function` of each pair of elements.
  ///
  /// `maximum` and `minimum` return NaN where either operand is NaN. Integer arithmetic wraps; an integer divided by
  /// zero is -1 and its remainder the dividend, as in StableHLO.
  public init(_ function: Function) { self.function = function }

  public var traits: Traits {
    switch function {
    case .add, .multiply, .maximum, .minimum, .and, .or, .xor: [.elementwise, .inPlace, .commutative]
    default: [.elementwise, .inPlace]
    }
  }

  public var precision: PrecisionRule { function == .power || function == .remainder ? .full : .follow }

  /// The operands' one type. Logic takes `bool` and integers, shifts take integers, the rest takes numbers;
  /// `maximum` and `minimum` also take `bool`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, y) = (operands[0], operands[1])
    guard x.dtype == y.dtype else {
      throw TypeError(self, "\(function.rawValue) cannot mix \(x) and \(y); convert one")
    }
    guard x.shape == y.shape else {
      throw TypeError(self, "\(function.rawValue) takes two equal shapes, got \(x) and \(y); broadcast one")
    }
    let fits =
      switch function {
      case .and, .or, .xor: !x.dtype.isFloatingPoint
      case .shiftLeft, .shiftRightLogical: x.dtype.isInteger
      case .maximum, .minimum: true
      default: x.dtype != .bool
      }
    guard fits else { throw TypeError(self, "\(function.rawValue) does not take \(x.dtype.rawValue)") }
    return [x]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, x, y, z) = (cotangents[0], operands[0], operands[1], results[0])
    switch function {
    case .add: return [dy, dy]
    case .subtract: return [dy, try graph.negate(dy)]
    case .multiply: return [try graph.multiply(dy, y), try graph.multiply(dy, x)]
    case .divide:
      let dx = try graph.divide(dy, y)
      return [dx, try graph.negate(graph.multiply(dx, z))]
    case .remainder:
      // x - y * trunc(x / y): the quotient's whole part is constant almost everywhere.
      let whole = try graph.divide(graph.subtract(x, z), y)
      return [dy, try graph.negate(graph.multiply(dy, whole))]
    case .power: return try powerPullback(dy, x, y, z, in: &graph)
    case .maximum, .minimum:
      // Ties share the gradient equally, so that the rule is symmetric in its operands.
      let half = try graph.multiply(dy, graph.constant(0.5, like: dy))
      let zero = try graph.constant(0, like: dy)
      let tie = try graph.select(graph.compare(.equal, x, y), half, zero)
      let first = try graph.compare(function == .maximum ? .greater : .less, x, y)
      let second = try graph.compare(function == .maximum ? .less : .greater, x, y)
      return [try graph.select(first, dy, tie), try graph.select(second, dy, tie)]
    case .and, .or, .xor, .shiftLeft, .shiftRightLogical: return [nil, nil]
    }
  }

  /// d(x^y) = y x^(y-1) dx + x^y log(x) dy; the second term is zero where x is zero.
  private func powerPullback(
    _ dy: Value, _ x: Value, _ y: Value, _ z: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (zero, one) = (try graph.constant(0, like: x), try graph.constant(1, like: x))
    let lower = try graph.binary(.power, x, graph.subtract(y, one))
    let isZero = try graph.compare(.equal, x, zero)
    let safe = try graph.select(isZero, one, x)
    let logarithm = try graph.unary(.logarithm, safe)
    let constantExponent = try graph.compare(.equal, y, zero)
    let slope = try graph.select(constantExponent, zero, graph.multiply(y, lower))
    return [try graph.multiply(dy, slope), try graph.multiply(dy, graph.multiply(z, logarithm))]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(
      rank: operands[0].rank, operandCount: 2,
      linear: operands[0].dtype.isFloatingPoint ? function.linear : [])
  }
}

extension Binary.Function {
  /// The sets of operands in which it is linear, in floating point.
  var linear: [Set<Int>] {
    switch self {
    case .add, .subtract: [[0, 1]]
    case .multiply: [[0], [1]]
    case .divide: [[0]]
    default: []
    }
  }
}
