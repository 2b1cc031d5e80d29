import PandoIR
import PandoOperations

/// The matrix product of the last two dimensions: `[…, i, k]` times `[…, k, j]` gives `[…, i, j]`.
///
/// Leading dimensions are broadcast as in arithmetic; a second operand of rank 2 is used for all of them without being
/// repeated.
public func matmul(_ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
  guard x.failure == nil, y.failure == nil else { return .emit(Contraction("ik,kj->ij"), [x, y]) }
  guard x.rank >= 2, y.rank >= 2 else {
    return .failed(
      "matmul", "needs two matrices, got \(x.type) and \(y.type)", like: x, file: file, line: line)
  }
  guard x.size(-1) == y.size(-2) else {
    return .failed(
      "matmul", "the last dimension of \(x.type) must equal the last but one of \(y.type)", like: y,
      file: file,
      line: line)
  }
  let letters = ShardingRule.labels(x.rank - 2)
  if y.rank == 2 {
    return .emit(Contraction("\(letters)yz,zx->\(letters)yx"), [x, y], file: file, line: line)
  }
  let batch = Tensor.aligned(
    .placeholder("", TensorType(Array(x.shape.dropLast(2)))),
    .placeholder("", TensorType(Array(y.shape.dropLast(2)))))
  let (a, b) = (
    x.broadcast(to: batch.0.shape + x.shape.suffix(2)), y.broadcast(to: batch.1.shape + y.shape.suffix(2))
  )
  let shared = ShardingRule.labels(a.rank - 2)
  return .emit(Contraction("\(shared)yz,\(shared)zx->\(shared)yx"), [a, b], file: file, line: line)
}

/// A product that sums over every label absent from the result: `einsum("bik,kj->bij", x, y)`.
public func einsum(
  _ labels: String, _ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor { .emit(Contraction(labels), [x, y], file: file, line: line) }
