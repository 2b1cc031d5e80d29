import Pando

/// Attention with several heads, in places of a sequence or of another one. PyTorch: `nn.MultiheadAttention` with
/// `batch_first`; the parameters have its names.
///
/// Input and output `[batch, time, features]`. Vaswani et al. 2017, arXiv:1706.03762; grouped queries: Ainslie et al.
/// 2023, arXiv:2305.13245.
public struct MultiheadAttention: PureLayer {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// Rows for all queries, then all keys, then all values, head by head: `[3 · features, features]` where there are as
  /// many heads of keys as of queries and their widths add up to the features.
  public let in_proj_weight: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// As many elements as `in_proj_weight` has rows.
  public let in_proj_bias: Parameter?
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// From the heads back to the features.
  public let out_proj: Linear
  private let arrangement: AttentionHeads
  private let site: Site

  /// Attention of `heads` heads on `features` features.
  ///
  /// - Parameters:
  ///   - keyValueHeads: heads of keys and values, each shared by neighbouring heads of queries; as many as `heads`
  ///     unless given.
  ///   - headWidth: features of one head; `features / heads` unless given.
  ///   - causal: whether a place sees only itself and those before it.
  ///   - rotaryBase: the base of rotary positions (Su et al. 2021), 10000 in the paper; `nil` for none.
  public init(
    _ features: Int, heads: Int, keyValueHeads: Int? = nil, headWidth: Int? = nil, bias: Bool = true,
    causal: Bool = false, rotaryBase: Double? = nil, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    precondition(
      headWidth != nil || (heads > 0 && features.isMultiple(of: heads)),
      "\(heads) heads do not divide \(features) features")
    arrangement = AttentionHeads(
      heads: heads, keyValueHeads: keyValueHeads, width: headWidth ?? features / heads, causal: causal,
      rotaryBase: rotaryBase)
    let rows = arrangement.allFeatures
    in_proj_weight = Parameter(
      [rows, features], .xavierUniform(fanIn: features, fanOut: rows), axes: ["heads", "embed"], dtype: dtype)
    in_proj_bias = bias ? Parameter([rows], .zeros, role: .unregularized, axes: ["heads"], dtype: dtype) : nil
    out_proj = Linear(
      arrangement.queryFeatures, features, bias: bias, axes: ["embed", "heads"],
      initializer: .fanIn(arrangement.queryFeatures), dtype: dtype, file: file, line: line)
    site = Site(file, line)
  }

  /// Attention of each place of `x` over all places of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank == 3 else { return wrongRank(x) }
    let (q, k, v) = arrangement.split(
      linear(x, in_proj_weight.tensor, in_proj_bias?.tensor, file: site.file, line: site.line), -1)
    return out_proj(arrangement.attend(q, k, v, site: site))
  }

  /// Attention of each place of `x` over all places of `memory`, `[batch, keys, features]`.
  public func callAsFunction(_ x: Tensor, memory: Tensor) -> Tensor {
    guard x.rank == 3 else { return wrongRank(x) }
    guard memory.rank == 3 else { return wrongRank(memory) }
    let weights = arrangement.split(in_proj_weight.tensor, 0)
    let biases = in_proj_bias.map { arrangement.split($0.tensor, 0) }
    func project(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
      linear(x, weight, bias, file: site.file, line: site.line)
    }
    return out_proj(
      arrangement.attend(
        project(x, weights.q, biases?.q), project(memory, weights.k, biases?.k),
        project(memory, weights.v, biases?.v), site: site))
  }

  private func wrongRank(_ x: Tensor) -> Tensor {
    .failed(
      "multihead_attention", "takes [batch, time, \(in_proj_weight.type.shape[1])], got \(x.type)",
      like: x.failure == nil ? in_proj_weight.tensor : x, file: site.file, line: site.line)
  }
}
