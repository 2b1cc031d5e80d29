import PandoIR
import PandoOperations

/// Softmax(scale · q kᵀ) v for each head (Vaswani et al. 2017, arXiv:1706.03762).
///
/// - Parameters:
///   - q: `[batch, heads, time, width]`
///   - k: `[batch, keyValueHeads, keys, width]`; each of its heads serves `heads / keyValueHeads` neighbouring heads of
///     `q`.
///   - v: of the shape of `k`.
///   - causal: whether the query at place i sees only keys at places up to i.
///   - scale: 1/√width unless given.
/// - Returns: of the shape of `q`.
public func scaledDotProductAttention(
  _ q: Tensor, _ k: Tensor, _ v: Tensor, causal: Bool = false, scale: Double? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  .emit(
    Attention(causal: causal, scale: scale), [q, k, v], results: 2,
    file: file, line: line)[0]
}

/// Turns pairs of elements by an angle that grows with the place in time (Su et al. 2021, arXiv:2104.09864).
///
/// Element i turns together with element i + width/2, by place · base^(-2i/width) radians.
///
/// - Parameters:
///   - x: `[batch, heads, time, width]`, of an even width.
///   - base: the higher, the slower the slowest pair turns.
///   - offset: the place of the first element in time.
public func rotaryEmbedding(
  _ x: Tensor, base: Double = 10000, offset: Int = 0, file: StaticString = #fileID, line: UInt = #line
) -> Tensor { .emit(RotaryEmbedding(base: base, offset: offset), [x], file: file, line: line) }
