import Pando

/// Layers one after another. PyTorch: `nn.Sequential`; parameters are numbered as there (`0.weight`).
public struct Sequential: ModuleSequence, Layer {
  /// The layers in order.
  public let layers: [any Layer]
  public var members: [any Module] { layers }

  /// A sequence of layers.
  public init(_ layers: any Layer...) { self.layers = layers }
  /// A sequence of layers.
  public init(_ layers: [any Layer]) { self.layers = layers }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    layers.reduce(x) { $1($0, context) }
  }
}
