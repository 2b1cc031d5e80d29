import Foundation

extension Unary.Function {
  /// The function of one real number: what the reference engine computes and constant folding uses.
  ///
  /// `not` has no meaning on reals and gives NaN; `isFinite` gives 0 or 1.
  public func apply(_ x: Double) -> Double {
    switch self {
    case .negate: -x
    case .absolute: abs(x)
    case .sign: x.isNaN || x == 0 ? x : (x < 0 ? -1 : 1)
    case .exponential: exp(x)
    case .exponentialMinusOne: expm1(x)
    case .logarithm: log(x)
    case .logarithmPlusOne: log1p(x)
    case .squareRoot: x.squareRoot()
    case .reciprocalSquareRoot: 1 / x.squareRoot()
    case .hyperbolicTangent: tanh(x)
    case .logistic: 1 / (1 + exp(-x))
    case .sine: sin(x)
    case .cosine: cos(x)
    case .errorFunction: erf(x)
    case .floor: x.rounded(.down)
    case .ceiling: x.rounded(.up)
    case .roundHalfToEven: x.rounded(.toNearestOrEven)
    case .not: .nan
    case .isFinite: x.isFinite ? 1 : 0
    }
  }
}

extension Binary.Function {
  /// The function of two real numbers; logic and shifts have no meaning on reals and give NaN.
  public func apply(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .remainder: fmod(x, y)
    case .power: pow(x, y)
    case .maximum: x.isNaN || y.isNaN ? .nan : max(x, y)
    case .minimum: x.isNaN || y.isNaN ? .nan : min(x, y)
    case .and, .or, .xor, .shiftLeft, .shiftRightLogical: .nan
    }
  }
}
