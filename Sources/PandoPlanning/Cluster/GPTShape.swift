/// The sizes of a decoder-only transformer, from which its work and its memory follow.
public struct GPTShape: Hashable, Sendable, Codable {
  /// Layers, width, attention heads, tokens of a sequence and of the vocabulary.
  public var layers: Int, width: Int, heads: Int, context: Int, vocabulary: Int

  /// A shape from its sizes.
  public init(layers: Int, width: Int, heads: Int, context: Int, vocabulary: Int) {
    (self.layers, self.width, self.heads) = (layers, width, heads)
    (self.context, self.vocabulary) = (context, vocabulary)
  }

  /// Trained numbers of one layer: four products of attention, two of the perceptron, biases, two norms.
  public var layerParameters: Double { 12 * Double(width * width) + 13 * Double(width) }

  /// Trained numbers of tokens and places; the last product shares the tokens'.
  public var embeddingParameters: Double { Double(vocabulary + context) * Double(width) }

  /// Trained numbers.
  public var parameters: Double { Double(layers) * layerParameters + embeddingParameters + 2 * Double(width) }

  /// Floating-point operations of a step over `batch` sequences: with layers computed again 96·B·s·l·h²·(1 + s/6h +
  /// V/16lh) (Narayanan et al. 2021, equation 3), without it a quarter of the layers' less.
  public func flopsPerStep(batch: Int, recomputes: Bool = true) -> Double {
    let (h, s, l, v) = (Double(width), Double(context), Double(layers), Double(vocabulary))
    let pass = 24 * Double(batch) * s * l * h * h * (1 + s / (6 * h))
    return (recomputes ? 4 : 3) * pass + 6 * Double(batch) * s * h * v
  }

  /// Bytes that one layer's gradients need of its first half, for `batch` sequences in 16 bits with the attention's
  /// matrices kept: s·b·h·(10 + 24/t + 5·a·s/(h·t)), which without tensor parallelism is s·b·h·(34 + 5·a·s/h)
  /// (Korthikanti et al. 2022, equations 1 and 2).
  public func layerActivationBytes(batch: Int, tensor: Int = 1) -> Double {
    let (h, s, a, t) = (Double(width), Double(context), Double(heads), Double(tensor))
    return s * Double(batch) * h * (10 + 24 / t + 5 * a * s / (h * t))
  }

  /// Bytes that a layer takes in, in 16 bits: what is kept of it when it is computed again.
  public func layerInputBytes(batch: Int) -> Double { 2 * Double(context * batch) * Double(width) }
}
