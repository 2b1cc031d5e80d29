import PandoIR

extension Catalogue {
  static let attention: [any PandoIR.Operation.Type] = [
    Attention.self, AttentionGradient.self, RotaryEmbedding.self,
  ]
}
