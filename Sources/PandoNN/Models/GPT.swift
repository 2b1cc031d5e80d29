import Pando

/// Decoder-only transformer (Radford et al. 2019, "Language models are unsupervised multitask learners"): at each place
/// of a text it scores the tokens that may come next.
///
/// Input `[batch, time]`, int32 tokens; output `[batch, time, vocabulary]`.
public struct GPT: Layer {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[vocabulary, width]`
  public let token_embedding: Embedding
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[context, width]`; none with rotary positions.
  public let position_embedding: Embedding?
  /// The blocks in order.
  public let blocks: [TransformerBlock]
  /// Behind the last block.
  public let norm: LayerNorm
  /// To the tokens; none where the token embedding does this too.
  public let head: Linear?
  /// The longest input.
  public let context: Int
  /// By what features are multiplied in front of the output layer where that is the embedding.
  private let multiplier: Double
  private let dropout: Dropout
  private let site: Site

  /// A transformer whose weights begin as GPT-2's: normal with deviation 0.02, divided by √(2 · layers) where a layer's
  /// outputs are added to the stream.
  ///
  /// - Parameters:
  ///   - context: the longest input.
  ///   - keyValueHeads: heads of keys and values, each shared by neighbouring heads of queries; as many as `heads`
  ///     unless given.
  ///   - dropout: the probability that an element is dropped in training: of the embedding, and of each branch's output.
  ///   - rotary: whether positions turn queries and keys instead of being learnt.
  ///   - tied: whether the output layer is the token embedding transposed.
  ///   - parametrization: how all this depends on the width.
  ///   - baseHeads: the heads that a model of the base width has; as many as `heads` unless given.
  ///   - experts: several feed-forward layers in place of one, in every `expertInterval`th block.
  public init(
    vocabulary: Int, context: Int, layers: Int, width: Int, heads: Int, keyValueHeads: Int? = nil,
    dropout: Double = 0, rotary: Bool = false, tied: Bool = true,
    parametrization: Parametrization = .standard, baseHeads: Int? = nil,
    experts: MixtureOfExperts.Options? = nil,
    expertInterval: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    let initializer = Initializer.normal(deviation: 0.02)
    let growth = parametrization.growth(of: width)
    let row = WidthGrowth(inputs: 1, outputs: growth)
    token_embedding = Embedding(
      vocabulary, width, initializer: initializer, growth: row, file: file, line: line)
    position_embedding =
      rotary
      ? nil
      : Embedding(
        context, width, axes: [nil, "embed"], initializer: initializer, growth: row, file: file, line: line)
    let residual = Initializer.normal(deviation: 0.02 / Double(2 * layers).squareRoot())
    blocks = (0..<layers).map { layer in
      TransformerBlock(
        width, heads: heads, keyValueHeads: keyValueHeads, causal: true, rotaryBase: rotary ? 10000 : nil,
        dropout: dropout, initializer: initializer.widened(by: growth),
        residualInitializer: residual.widened(by: growth), growth: growth,
        attentionScale: parametrization.attentionScale(
          headWidth: width / heads, baseHeads: baseHeads ?? heads),
        experts: (layer + 1).isMultiple(of: expertInterval) ? experts : nil, file: file, line: line)
    }
    norm = LayerNorm(width, axes: ["embed"], growth: row, file: file, line: line)
    head =
      tied
      ? nil
      : Linear(
        width, vocabulary, bias: false, axes: ["vocabulary", "embed"], initializer: initializer,
        growth: WidthGrowth(inputs: growth, outputs: 1, isReadout: parametrization != .standard),
        file: file, line: line)
    multiplier = 1 / growth
    self.context = context
    self.dropout = Dropout(dropout)
    site = Site(file, line)
  }

  public func callAsFunction(_ tokens: Tensor, _ context: Context) -> Tensor {
    if tokens.failure != nil { return tokens }
    guard tokens.rank == 2, tokens.size(1) <= self.context else {
      return .failed(
        "gpt", "takes [batch, time] with at most \(self.context) tokens, got \(tokens.type)",
        like: token_embedding.weight.tensor, file: site.file, line: site.line)
    }
    var x = token_embedding(tokens.named("samples", "time"))
    if let positions = position_embedding { x = x + positions.weight.tensor.slice(0, 0..<tokens.size(1)) }
    x = dropout(x, context)
    for block in blocks { x = block(x, context) }
    x = norm(x)
    if let head { return head(x) }
    return linear(
      multiplier == 1 ? x : x * multiplier, token_embedding.weight.tensor, file: site.file, line: site.line)
  }
}
