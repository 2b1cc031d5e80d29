import PandoIR
import PandoOperations

/// Mean cross entropy between scores and labels, in nats.
///
/// - Parameters:
///   - logits: `[…, classes]`, unnormalized.
///   - labels: `[…]`, int32 or int64, from 0 to `classes - 1`.
///   - labelSmoothing: share of each target spread evenly over all classes (Szegedy et al. 2015, arXiv:1512.00567).
///   - ignored: a label whose places count for nothing. Where every place has it the mean is NaN, as in PyTorch.
/// - Returns: a scalar.
public func crossEntropy(
  _ logits: Tensor, _ labels: Tensor, labelSmoothing: Double = 0, ignoring ignored: Int? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let rows = crossEntropyRows(
    logits, labels, labelSmoothing: labelSmoothing, ignoring: ignored, file: file, line: line)
  guard let ignored else { return rows.mean() }
  let counted = (labels .!= .full(labels.shape, Double(ignored), dtype: labels.dtype)).cast(rows.dtype)
  return rows.sum() / counted.sum()
}

/// The cross entropy at each place, in nats: as `crossEntropy` without the mean.
///
/// - Returns: of the labels' shape; 0 at ignored places.
public func crossEntropyRows(
  _ logits: Tensor, _ labels: Tensor, labelSmoothing: Double = 0, ignoring ignored: Int? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  if logits.failure != nil { return logits }
  if labels.failure != nil { return labels }
  guard logits.rank >= 1, Array(logits.shape.dropLast()) == labels.shape else {
    return .failed(
      "cross_entropy",
      "needs logits [..., classes] and a label for each place, got \(logits.type) and \(labels.type)",
      like: logits,
      file: file, line: line)
  }
  // One row alone is a table of one row; dimensions of more stay apart, since each may be spread over ranks.
  let operands = logits.rank > 1 ? [logits, labels] : [logits.unsqueeze(0), labels.reshape(1)]
  let rows = Tensor.emit(
    CrossEntropy(labelSmoothing: labelSmoothing, ignoredLabel: ignored), operands, results: 2, file: file,
    line: line)[0]
  return rows.reshape(labels.shape)
}

/// Mean of (x - target)².
public func meanSquaredError(_ x: Tensor, _ target: Tensor) -> Tensor {
  let difference = x - target
  return (difference * difference).mean()
}

/// Mean of |x - target|.
public func meanAbsoluteError(_ x: Tensor, _ target: Tensor) -> Tensor { abs(x - target).mean() }

/// Mean of (x - target)² / (2 beta) where the distance is below `beta`, otherwise of the distance less beta / 2
/// (Girshick 2015, arXiv:1504.08083).
public func smoothL1(_ x: Tensor, _ target: Tensor, beta: Double = 1) -> Tensor {
  let distance = abs(x - target)
  guard beta > 0 else { return distance.mean() }
  return select(distance .< distance.constant(beta), distance * distance * (0.5 / beta), distance - beta / 2)
    .mean()
}

/// Mean binary cross entropy, in nats, between scores and the probability that each is true.
///
/// - Parameters:
///   - logits: unnormalized: their logistic function is the predicted probability.
///   - targets: of the same shape, from 0 to 1.
public func binaryCrossEntropy(logits: Tensor, _ targets: Tensor) -> Tensor {
  (softplus(logits) - logits * targets).mean()
}
