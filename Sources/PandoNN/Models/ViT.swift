import Pando

/// Vision transformer (Dosovitskiy et al. 2020, arXiv:2010.11929): a sequence of patches behind a class token, whose
/// last features are classified.
///
/// Input `[samples, channels, height, width]`, output `[samples, classes]`.
public struct ViT: Layer {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// From a patch to its features.
  public let patch_embedding: Conv2d
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[1, 1, features]`
  public let class_token: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[1, 1 + patches, features]`
  public let position_embedding: Parameter
  /// The blocks in order.
  public let blocks: [TransformerBlock]
  /// Behind the last block.
  public let norm: LayerNorm
  /// From the class token's features to the classes.
  public let head: Linear
  private let dropout: Dropout

  /// A transformer for images of a fixed size.
  ///
  /// - Parameters:
  ///   - patch: side of a square patch in pixels; it divides height and width.
  ///   - features: of each place.
  ///   - dropout: the probability that an element is dropped in training: of the embedding, and of each branch's output.
  ///   - parametrization: how all this depends on the number of features.
  ///   - baseHeads: the heads that a model of the base width has; as many as `heads` unless given.
  public init(
    channels: Int, height: Int, width: Int, patch: Int, features: Int, layers: Int, heads: Int, classes: Int,
    dropout: Double = 0, parametrization: Parametrization = .standard, baseHeads: Int? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      patch > 0 && height.isMultiple(of: patch) && width.isMultiple(of: patch),
      "patches of \(patch) do not tile an image of \(height)×\(width)")
    let initializer = Initializer.normal(deviation: 0.02)
    let growth = parametrization.growth(of: features)
    let row = WidthGrowth(inputs: 1, outputs: growth)
    let places = 1 + (height / patch) * (width / patch)
    patch_embedding = Conv2d(
      channels, features, kernel: Pair(patch), stride: Pair(patch),
      initializer: .fanIn(channels * patch * patch), growth: row, file: file, line: line)
    class_token = Parameter(
      [1, 1, features], .zeros, role: .unregularized, axes: [nil, nil, "embed"], growth: row)
    position_embedding = Parameter(
      [1, places, features], initializer, role: .unregularized, axes: [nil, nil, "embed"], growth: row)
    blocks = (0..<layers).map { _ in
      TransformerBlock(
        features, heads: heads, dropout: dropout, epsilon: 1e-6, initializer: initializer.widened(by: growth),
        growth: growth,
        attentionScale: parametrization.attentionScale(
          headWidth: features / heads, baseHeads: baseHeads ?? heads), file: file, line: line)
    }
    norm = LayerNorm(features, epsilon: 1e-6, axes: ["embed"], growth: row, file: file, line: line)
    head = Linear(
      features, classes, axes: [nil, "embed"], initializer: .zeros,
      growth: WidthGrowth(inputs: growth, outputs: 1, isReadout: parametrization != .standard), file: file,
      line: line)
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    let patches = patch_embedding(x).flatten(from: 2).transpose(1, 2)
    let token = class_token.tensor.broadcast(to: [patches.size(0), 1, patches.size(2)])
    var x = dropout(concatenate([token, patches], 1) + position_embedding.tensor, context)
    for block in blocks { x = block(x, context) }
    return head(norm(x.slice(1, 0..<1).squeeze(1)))
  }
}
