import PandoIR

extension Catalogue {
  static let regularization: [any PandoIR.Operation.Type] = [Dropout.self]
}
