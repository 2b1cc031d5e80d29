import Pando

/// The Euclidean norm of all gradients' elements together, as a float32 scalar.
public func globalNorm(_ gradients: [Tensor]) -> Tensor {
  var total = Tensor(0)
  for gradient in gradients { total = total + gradient.cast(.float32).sumOfSquares() }
  return sqrt(total)
}

/// Gradients scaled so that their joint Euclidean norm is at most `limit`: PyTorch's `clip_grad_norm_`, which divides
/// by the norm plus 1e-6 (Pascanu et al. 2012, arXiv:1211.5063).
///
/// - Returns: the gradients, and their norm before, a float32 scalar.
public func clipByGlobalNorm(_ gradients: [Tensor], _ limit: Double) -> (gradients: [Tensor], norm: Tensor) {
  let norm = globalNorm(gradients)
  let factor = clipFactor(norm: norm, limit)
  return (gradients.map { $0 * factor.cast($0.dtype) }, norm)
}

/// By what `clipByGlobalNorm` multiplies gradients with this joint norm; both are float32 scalars.
public func clipFactor(norm: Tensor, _ limit: Double) -> Tensor { minimum(limit / (norm + 1e-6), Tensor(1)) }

/// Gradients whose elements beyond ±`limit` are moved there: PyTorch's `clip_grad_value_`.
public func clipByValue(_ gradients: [Tensor], _ limit: Double) -> [Tensor] {
  gradients.map { clip($0, -limit, limit) }
}
