import PandoIR

extension Catalogue {
  static let loss: [any PandoIR.Operation.Type] = [CrossEntropy.self, CrossEntropyGradient.self]
}
