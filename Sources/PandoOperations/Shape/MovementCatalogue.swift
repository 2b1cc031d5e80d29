import PandoIR

extension Catalogue {
  static let movement: [any PandoIR.Operation.Type] = [
    Slice.self, Pad.self, Concatenate.self, Reverse.self, Iota.self, Barrier.self,
  ]
}
