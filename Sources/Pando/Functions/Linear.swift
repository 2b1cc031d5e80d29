import PandoIR
import PandoOperations

/// x times the transposed weight, plus the bias: PyTorch's `F.linear`.
///
/// - Parameters:
///   - x: `[…, inputs]`
///   - weight: `[outputs, inputs]`
///   - bias: `[outputs]`
/// - Returns: `[…, outputs]`
public func linear(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  if x.failure != nil { return x }
  guard x.rank >= 1, weight.rank == 2, x.size(-1) == weight.size(1) else {
    return .failed(
      "linear",
      "the weight \(weight.type) takes \(weight.size(1)) features in the last dimension, got \(x.type)",
      like: weight, file: file, line: line)
  }
  let rows = ShardingRule.labels(x.rank - 1)
  let y = Tensor.emit(Contraction("\(rows)y,zy->\(rows)z"), [x, weight], file: file, line: line)
  guard let bias else { return y }
  return .emit(
    Binary(.add), [y, bias.broadcast(to: y.shape, file: file, line: line)], file: file, line: line)
}
