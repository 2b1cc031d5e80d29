import PandoIR

/// Applies a function to every element.
public struct Unary: Operation {
  /// The functions; names follow StableHLO where it has them.
  public enum Function: String, Hashable, Sendable, Codable, CaseIterable {
    case negate, absolute, sign
    case exponential, exponentialMinusOne, logarithm, logarithmPlusOne
    case squareRoot, reciprocalSquareRoot
    case hyperbolicTangent, logistic, sine, cosine, errorFunction
    case floor, ceiling, roundHalfToEven
    case not, isFinite
  }

  public static let name = "unary"
  public static let operandCount: Int? = 1

  /// What is applied.
  public let function: Function

  /// `function` of every element.
  public init(_ function: Function) { self.function = function }

  public var traits: Traits { [.elementwise, .inPlace] }

  /// What grows without bound, what has a pole, and what turns large numbers into angles keeps float32.
  public var precision: PrecisionRule {
    switch function {
    case .exponential, .exponentialMinusOne, .logarithm, .logarithmPlusOne, .squareRoot,
      .reciprocalSquareRoot,
      .sine, .cosine:
      .full
    default: .follow
    }
  }

  /// The operand's type; `bool` for `isFinite`. `not` takes `bool` and integers, `negate`, `absolute` and `sign` take
  /// numbers, everything else takes floating-point numbers.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    switch function {
    case .not:
      guard !x.dtype.isFloatingPoint else { throw TypeError(self, "not takes bool or integers, got \(x)") }
    case .negate, .absolute, .sign:
      guard x.dtype != .bool else { throw TypeError(self, "\(function.rawValue) takes numbers, got \(x)") }
    default:
      guard x.dtype.isFloatingPoint else {
        throw TypeError(self, "\(function.rawValue) takes floating-point numbers, got \(x); convert it first")
      }
    }
    return [function == .isFinite ? x.with(dtype: .bool) : x]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, x, y) = (cotangents[0], operands[0], results[0])
    switch function {
    case .negate: return [try graph.negate(dy)]
    case .absolute: return [try graph.multiply(dy, graph.unary(.sign, x))]
    case .exponential: return [try graph.multiply(dy, y)]
    case .exponentialMinusOne: return [try graph.multiply(dy, graph.add(y, graph.constant(1, like: y)))]
    case .logarithm: return [try graph.divide(dy, x)]
    case .logarithmPlusOne: return [try graph.divide(dy, graph.add(x, graph.constant(1, like: x)))]
    case .squareRoot: return [try graph.divide(dy, graph.multiply(graph.constant(2, like: y), y))]
    case .reciprocalSquareRoot:
      let cube = try graph.multiply(y, graph.multiply(y, y))
      return [try graph.multiply(dy, graph.multiply(graph.constant(-0.5, like: y), cube))]
    case .hyperbolicTangent:
      return [try graph.multiply(dy, graph.subtract(graph.constant(1, like: y), graph.multiply(y, y)))]
    case .logistic:
      let slope = try graph.multiply(y, graph.subtract(graph.constant(1, like: y), y))
      return [try graph.multiply(dy, slope)]
    case .sine: return [try graph.multiply(dy, graph.unary(.cosine, x))]
    case .cosine: return [try graph.negate(graph.multiply(dy, graph.unary(.sine, x)))]
    case .errorFunction:
      let bell = try graph.unary(.exponential, graph.negate(graph.multiply(x, x)))
      let twoOverRootPi = 1.128379167095512573896
      return [try graph.multiply(dy, graph.multiply(graph.constant(twoOverRootPi, like: x), bell))]
    case .sign, .floor, .ceiling, .roundHalfToEven, .not, .isFinite: return [nil]
    }
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 1, linear: function == .negate ? [[0]] : [])
  }
}
