import Pando

/// One step of a residual MLP: a feed-forward layer behind a layer norm, added to what came in.
///
/// Input and output `[samples, features]`.
public struct ResidualMLPBlock: Layer {
  /// In front of the feed-forward layer.
  public let norm: LayerNorm
  /// Two linear layers.
  public let mlp: FeedForward
  private let dropout: Dropout

  /// A block on `features` features with `hidden` between its two layers.
  ///
  /// - Parameters:
  ///   - dropout: the probability that an element of the branch's output is dropped in training.
  ///   - residualInitializer: of the weights whose outputs are added to the stream; PyTorch's default unless given.
  public init(
    _ features: Int, hidden: Int, activation: Activation = .relu, dropout: Double = 0,
    residualInitializer: Initializer? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    norm = LayerNorm(features, axes: ["embed"], file: file, line: line)
    mlp = FeedForward(
      features, hidden: hidden, activation: activation, residualInitializer: residualInitializer, file: file,
      line: line)
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    x + dropout(mlp(norm(x)), context)
  }
}

/// Fully connected layers with short cuts, for rows of a table or other features without an order: the ResNet of
/// Gorishniy et al. 2021 (arXiv:2106.11959), with layer norms in place of batch norms. It stays trainable at any depth.
///
/// Input `[samples, …]`, whose dimensions after the first are taken together as `inputs` features; output
/// `[samples, outputs]`.
public struct ResidualMLP: Layer {
  /// From the inputs to the features.
  public let stem: Linear
  /// The blocks in order.
  public let blocks: [ResidualMLPBlock]
  /// Behind the last block.
  public let norm: LayerNorm
  /// From the features to the outputs.
  public let head: Linear

  /// A network of `layers` blocks on `features` features.
  ///
  /// - Parameters:
  ///   - hidden: features within a block; as many as `features` unless given.
  ///   - dropout: the probability that an element of a branch's output is dropped in training.
  public init(
    inputs: Int, features: Int, layers: Int, hidden: Int? = nil, outputs: Int, activation: Activation = .relu,
    dropout: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    let inner = hidden ?? features
    // Branches add up: each is drawn so much smaller that the stream's variance does not grow with the depth.
    let residual = Initializer.normal(deviation: 1 / Double(inner * max(1, layers)).squareRoot())
    stem = Linear(inputs, features, axes: ["embed", nil], file: file, line: line)
    blocks = (0..<layers).map { _ in
      ResidualMLPBlock(
        features, hidden: inner, activation: activation, dropout: dropout, residualInitializer: residual,
        file: file, line: line)
    }
    norm = LayerNorm(features, axes: ["embed"], file: file, line: line)
    head = Linear(features, outputs, axes: [nil, "embed"], file: file, line: line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    var x = stem(x.rank > 2 ? x.flatten(from: 1) : x)
    for block in blocks { x = block(x, context) }
    return head(norm(x))
  }
}
