import PandoIR

extension Catalogue {
  static let update: [any PandoIR.Operation.Type] = [SGDUpdate.self, AdamUpdate.self]
}
