import PandoIR

extension Catalogue {
  static let indexing: [any PandoIR.Operation.Type] = [
    Gather.self, GatherGradient.self, ScatterAdd.self, DynamicSlice.self, DynamicUpdateSlice.self,
  ]
}
