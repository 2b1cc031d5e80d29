import PandoIR
import PandoOperations

/// max(x, 0); NaN stays NaN.
public func relu(_ x: Tensor) -> Tensor { .emit(ReLU(), [x]) }

/// x where it is positive, otherwise `slope` times x.
public func leakyReLU(_ x: Tensor, slope: Double = 0.01) -> Tensor { .emit(LeakyReLU(slope: slope), [x]) }

/// x where it is positive, otherwise alpha (exp(x) - 1) (Clevert et al. 2015, arXiv:1511.07289).
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor { .emit(ELU(alpha: alpha), [x]) }

/// x times the probability that a standard normal variable is below x (Hendrycks and Gimpel 2016, arXiv:1606.08415).
///
/// - Parameter approximation: `.none` uses the error function, `.tanh` is GPT-2's formula.
public func gelu(_ x: Tensor, approximation: GELU.Approximation = .none) -> Tensor {
  .emit(GELU(approximation: approximation), [x])
}

/// x times the logistic function of x, also called swish (Elfwing et al. 2017, arXiv:1702.03118).
public func silu(_ x: Tensor) -> Tensor { .emit(SiLU(), [x]) }

/// 1 / (1 + exp(-x))
public func sigmoid(_ x: Tensor) -> Tensor { .emit(Unary(.logistic), [x]) }

/// Hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { .emit(Unary(.hyperbolicTangent), [x]) }

/// log(1 + exp(x)), the smooth form of max(x, 0).
public func softplus(_ x: Tensor) -> Tensor { .emit(Softplus(), [x]) }

/// x tanh(log(1 + exp(x))) (Misra 2019, arXiv:1908.08681).
public func mish(_ x: Tensor) -> Tensor { x * tanh(softplus(x)) }

/// x times (x + 3) / 6 kept between 0 and 1 (Howard et al. 2019, arXiv:1905.02244).
public func hardswish(_ x: Tensor) -> Tensor { x * clip(x + 3, 0, 6) * (1 / 6) }

/// Elements outside a range moved to its nearer end; NaN stays NaN.
public func clip(_ x: Tensor, _ minimum: Double?, _ maximum: Double?) -> Tensor {
  .emit(Clip(minimum: minimum, maximum: maximum), [x])
}

/// exp(x) divided by its sum along a dimension; negative numbers count from the last.
public func softmax(
  _ x: Tensor, dimension: Int = -1, file: StaticString = #fileID, line: UInt = #line
) -> Tensor { .emit(Softmax(dimension: x.normalized(dimension)), [x], file: file, line: line) }

/// The logarithm of `softmax`, without its underflow.
public func logSoftmax(
  _ x: Tensor, dimension: Int = -1, file: StaticString = #fileID, line: UInt = #line
) -> Tensor { .emit(LogSoftmax(dimension: x.normalized(dimension)), [x], file: file, line: line) }
