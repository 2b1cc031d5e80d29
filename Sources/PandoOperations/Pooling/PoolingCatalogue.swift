import PandoIR

extension Catalogue {
  static let pooling: [any PandoIR.Operation.Type] = [
    MaxPool.self, MaxPoolGradient.self, MaxPoolSelect.self, SumPool.self, SumPoolGradient.self,
    AveragePool.self, AdaptiveAveragePool.self,
  ]
}
