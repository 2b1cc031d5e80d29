import Pando

/// Self-attention whose queries, keys and values come out of one layer, as in GPT-2.
///
/// Input and output `[batch, time, features]`.
public struct SelfAttention: PureLayer {
  /// Outputs are all queries, then all keys, then all values, head by head.
  public let qkv: Linear
  /// From the heads back to the features.
  public let projection: Linear
  private let arrangement: AttentionHeads
  private let site: Site

  /// Attention of `heads` heads on `features` features.
  ///
  /// - Parameters:
  ///   - keyValueHeads: heads of keys and values, each shared by neighbouring heads of queries; as many as `heads`
  ///     unless given.
  ///   - causal: whether a place sees only itself and those before it.
  ///   - rotaryBase: the base of rotary positions; `nil` for none.
  ///   - initializer: of `qkv`; PyTorch's default for linear layers unless given.
  ///   - residualInitializer: of `projection`.
  ///   - growth: how much wider the features are than in a base model.
  ///   - scale: of the products of queries and keys; 1/√(features of a head) unless given.
  public init(
    _ features: Int, heads: Int, keyValueHeads: Int? = nil, causal: Bool = false, rotaryBase: Double? = nil,
    initializer: Initializer? = nil, residualInitializer: Initializer? = nil, growth: Double = 1,
    scale: Double? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    precondition(
      heads > 0 && features.isMultiple(of: heads), "\(heads) heads do not divide \(features) features")
    arrangement = AttentionHeads(
      heads: heads, keyValueHeads: keyValueHeads, width: features / heads, causal: causal,
      rotaryBase: rotaryBase, scale: scale)
    let hidden = WidthGrowth(inputs: growth, outputs: growth)
    qkv = Linear(
      features, arrangement.allFeatures, axes: ["heads", "embed"], initializer: initializer, growth: hidden,
      file: file, line: line)
    projection = Linear(
      features, features, axes: ["embed", "heads"], initializer: residualInitializer, growth: hidden,
      file: file, line: line)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank == 3 else {
      return .failed(
        "self_attention", "takes [batch, time, features], got \(x.type)",
        like: x.failure == nil ? qkv.weight.tensor : x, file: site.file, line: site.line)
    }
    let (q, k, v) = arrangement.split(qkv(x), -1)
    return projection(arrangement.attend(q, k, v, site: site))
  }
}

/// Two linear layers with a function between them, the same at every place.
public struct FeedForward: PureLayer {
  /// To the hidden features.
  public let up: Linear
  /// Back.
  public let down: Linear
  private let activation: Activation

  /// A feed-forward layer of `features` inputs and outputs and `hidden` features between.
  ///
  /// - Parameter growth: how much wider all of them are than in a base model.
  public init(
    _ features: Int, hidden: Int, activation: Activation = .gelu, initializer: Initializer? = nil,
    residualInitializer: Initializer? = nil, growth: Double = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let growth = WidthGrowth(inputs: growth, outputs: growth)
    up = Linear(
      features, hidden, axes: ["mlp", "embed"], initializer: initializer, growth: growth, file: file,
      line: line)
    down = Linear(
      hidden, features, axes: ["embed", "mlp"], initializer: residualInitializer, growth: growth, file: file,
      line: line)
    self.activation = activation
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { down(activation(up(x))) }
}

/// Attention and a feed-forward layer, each behind a layer norm and added to what came in: the pre-norm transformer of
/// GPT-2 and ViT (Xiong et al. 2020, arXiv:2002.04745).
///
/// Input and output `[batch, time, features]`.
public struct TransformerBlock: Layer {
  /// In front of the attention.
  public let norm1: LayerNorm
  /// The attention.
  public let attention: SelfAttention
  /// In front of the feed-forward layer.
  public let norm2: LayerNorm
  /// The feed-forward layer; none where there are experts.
  public let mlp: FeedForward?
  /// Several feed-forward layers in place of one.
  public let experts: MixtureOfExperts?
  private let dropout: Dropout

  /// A block on `features` features.
  ///
  /// - Parameters:
  ///   - hidden: features of the feed-forward layer; four times `features` unless given.
  ///   - dropout: the probability that an element of either branch's output is dropped in training.
  ///   - initializer: of all weights; PyTorch's defaults unless given.
  ///   - residualInitializer: of the weights whose outputs are added to the stream; `initializer` unless given.
  ///   - growth: how much wider the features are than in a base model; initializers have to follow it by themselves.
  ///   - attentionScale: of the products of queries and keys; 1/√(features of a head) unless given.
  ///   - experts: several feed-forward layers in place of one.
  public init(
    _ features: Int, heads: Int, keyValueHeads: Int? = nil, hidden: Int? = nil, causal: Bool = false,
    rotaryBase: Double? = nil, dropout: Double = 0, activation: Activation = .gelu, epsilon: Double = 1e-5,
    initializer: Initializer? = nil, residualInitializer: Initializer? = nil, growth: Double = 1,
    attentionScale: Double? = nil, experts: MixtureOfExperts.Options? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let row = WidthGrowth(inputs: 1, outputs: growth)
    norm1 = LayerNorm(features, epsilon: epsilon, axes: ["embed"], growth: row, file: file, line: line)
    attention = SelfAttention(
      features, heads: heads, keyValueHeads: keyValueHeads, causal: causal, rotaryBase: rotaryBase,
      initializer: initializer, residualInitializer: residualInitializer ?? initializer, growth: growth,
      scale: attentionScale, file: file, line: line)
    norm2 = LayerNorm(features, epsilon: epsilon, axes: ["embed"], growth: row, file: file, line: line)
    let inner = hidden ?? 4 * features
    let last = residualInitializer ?? initializer
    mlp =
      experts == nil
      ? FeedForward(
        features, hidden: inner, activation: activation, initializer: initializer, residualInitializer: last,
        growth: growth, file: file, line: line)
      : nil
    self.experts = experts.map {
      MixtureOfExperts(
        features, hidden: inner, $0, activation: activation, initializer: initializer,
        residualInitializer: last, growth: growth, file: file, line: line)
    }
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    let x = x + dropout(attention(norm1(x)), context)
    let y = norm2(x)
    return x + dropout(experts?(y, context) ?? mlp!(y), context)
  }
}
