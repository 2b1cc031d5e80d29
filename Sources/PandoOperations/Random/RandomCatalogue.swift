import PandoIR

extension Catalogue {
  static let random: [any PandoIR.Operation.Type] = [
    RandomBits.self, RandomUniform.self, RandomNormal.self, RandomBernoulli.self,
  ]
}
