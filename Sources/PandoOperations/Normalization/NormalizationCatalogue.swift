import PandoIR

extension Catalogue {
  static let normalization: [any PandoIR.Operation.Type] = [
    LayerNorm.self, LayerNormGradient.self, RMSNorm.self, RMSNormGradient.self, BatchNorm.self,
    BatchNormGradient.self, BatchNormInference.self, GroupNorm.self, GroupNormGradient.self,
  ]
}
