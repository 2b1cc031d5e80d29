import PandoIR

extension Catalogue {
  static let ordering: [any PandoIR.Operation.Type] = [
    ArgMax.self, CumulativeSum.self, Sort.self, TopK.self,
  ]
}
