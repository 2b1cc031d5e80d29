import Pando

/// How attention divides features into heads, and what it does with them; it has no parameters.
struct AttentionHeads: Sendable {
  /// Heads of queries.
  let heads: Int
  /// Heads of keys and values, each shared by `heads / keyValueHeads` neighbouring heads of queries.
  let keyValueHeads: Int
  /// Features of one head.
  let width: Int
  /// Whether a place sees only itself and those before it.
  let causal: Bool
  /// The base of rotary positions; `nil` for none.
  let rotaryBase: Double?
  /// Of the products of queries and keys; `nil` for 1/√width.
  let scale: Double?

  init(
    heads: Int, keyValueHeads: Int? = nil, width: Int, causal: Bool, rotaryBase: Double?, scale: Double? = nil
  ) {
    let keyValueHeads = keyValueHeads ?? heads
    precondition(
      heads > 0 && keyValueHeads > 0 && heads.isMultiple(of: keyValueHeads),
      "\(keyValueHeads) heads of keys and values do not divide \(heads) heads of queries")
    precondition(
      rotaryBase == nil || width.isMultiple(of: 2), "rotary positions need heads of even width, not \(width)")
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.width = width
    self.causal = causal
    self.rotaryBase = rotaryBase
    self.scale = scale
  }

  /// Features of all queries.
  var queryFeatures: Int { heads * width }
  /// Features of all keys, and of all values.
  var keyFeatures: Int { keyValueHeads * width }
  /// Features of queries, keys and values together.
  var allFeatures: Int { queryFeatures + 2 * keyFeatures }

  /// The parts of `x`, whose dimension holds queries, then keys, then values.
  func split(_ x: Tensor, _ dimension: Int) -> (q: Tensor, k: Tensor, v: Tensor) {
    let (q, k) = (queryFeatures, queryFeatures + keyFeatures)
    return (
      x.slice(dimension, 0..<q), x.slice(dimension, q..<k), x.slice(dimension, k..<allFeatures)
    )
  }

  /// Attention of queries `[batch, time, queryFeatures]` over keys and values `[batch, keys, keyFeatures]`.
  ///
  /// - Returns: `[batch, time, queryFeatures]`, head by head.
  func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, site: Site) -> Tensor {
    var (q, k) = (parts(q, heads), parts(k, keyValueHeads))
    if let rotaryBase {
      (q, k) = (rotaryEmbedding(q, base: rotaryBase), rotaryEmbedding(k, base: rotaryBase))
    }
    let y = scaledDotProductAttention(
      q, k, parts(v, keyValueHeads), causal: causal, scale: scale, file: site.file, line: site.line)
    return y.transpose(1, 2).flatten(from: 2)
  }

  /// `[batch, time, count * width]` as `[batch, count, time, width]`.
  private func parts(_ x: Tensor, _ count: Int) -> Tensor {
    x.reshape(x.size(0), x.size(1), count, width).transpose(1, 2)
  }
}
