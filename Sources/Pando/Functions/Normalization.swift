import PandoIR
import PandoOperations

/// Shifts and scales each row, the last `shape.count` dimensions taken together, to mean 0 and variance 1, then applies
/// a weight and a bias to each element (Ba et al. 2016, arXiv:1607.06450).
///
/// - Parameters:
///   - x: `[…] + shape`
///   - shape: a row's shape.
///   - weight: of a row's shape; ones where there is none.
///   - bias: of a row's shape; zeros where there is none.
///   - epsilon: added to the variance.
public func layerNorm(
  _ x: Tensor, shape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let dtype = (weight ?? bias ?? x).dtype
  return .emit(
    LayerNorm(dimensions: shape.count, epsilon: epsilon),
    [x, weight ?? .ones(shape, dtype: dtype), bias ?? .zeros(shape, dtype: dtype)], results: 3, file: file,
    line: line)[0]
}

/// Divides each row, the last `shape.count` dimensions taken together, by its root mean square, then multiplies each
/// element by a weight (Zhang and Sennrich 2019, arXiv:1910.07467).
///
/// - Parameters:
///   - x: `[…] + shape`
///   - shape: a row's shape.
///   - weight: of a row's shape; ones where there is none.
///   - epsilon: added to the mean square.
public func rmsNorm(
  _ x: Tensor, shape: [Int], weight: Tensor? = nil, epsilon: Double = 1e-6, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  .emit(
    RMSNorm(dimensions: shape.count, epsilon: epsilon), [x, weight ?? .ones(shape, dtype: x.dtype)],
    results: 2,
    file: file, line: line)[0]
}

/// Shifts and scales each group of channels of each sample to mean 0 and variance 1, then applies a weight and a bias
/// to each channel (Wu and He 2018, arXiv:1803.08494).
///
/// - Parameters:
///   - x: `[samples, channels, …]`
///   - groups: divides the channels, neighbours together.
///   - weight: `[channels]`; ones where there is none.
///   - bias: `[channels]`; zeros where there is none.
///   - epsilon: added to the variance.
public func groupNorm(
  _ x: Tensor, groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let channels = [x.size(1)]
  return .emit(
    GroupNorm(groups: groups, epsilon: epsilon),
    [x, weight ?? .ones(channels, dtype: x.dtype), bias ?? .zeros(channels, dtype: x.dtype)], results: 3,
    file: file, line: line)[0]
}

/// Shifts and scales each channel to mean 0 and variance 1 over the batch, then applies a weight and a bias: batch norm
/// in training (Ioffe and Szegedy 2015, arXiv:1502.03167).
///
/// - Parameters:
///   - x: `[samples, channels, …]`
///   - weight: `[channels]`
///   - bias: `[channels]`
///   - epsilon: added to the variance.
/// - Returns: the result, and the batch's mean and biased variance, `[channels]` each.
public func batchNorm(
  _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5, file: StaticString = #fileID,
  line: UInt = #line
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let results = Tensor.emit(
    BatchNorm(epsilon: epsilon), [x, weight, bias], results: 3, file: file, line: line)
  return (results[0], results[1], results[2])
}

/// Batch norm with statistics that are given, as after training: (x - mean) weight / √(variance + epsilon) + bias.
///
/// - Parameters:
///   - x: `[samples, channels, …]`
///   - weight: `[channels]`, as `bias`, `mean` and `variance`.
public func batchNorm(
  _ x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  .emit(BatchNormInference(epsilon: epsilon), [x, weight, bias, mean, variance], file: file, line: line)
}
