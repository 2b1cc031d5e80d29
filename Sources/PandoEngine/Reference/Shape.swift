import PandoIR
import PandoOperations

extension Broadcast: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    return [
      ReferenceTensor(results[0], from: x) { index in
        let place = Indexing.coordinates(index, shape)
        return Indexing.linear(zip(dimensions, x.type.shape).map { $1 == 1 ? 0 : place[$0] }, x.type.shape)
      }
    ]
  }
}

extension Reshape: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    [ReferenceTensor(results[0], from: operands[0]) { $0 }]
  }
}

extension Barrier: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    [operands[0]]
  }
}

extension Transpose: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    return [
      ReferenceTensor(results[0], from: x) { index in
        var source = permutation
        for (to, place) in Indexing.coordinates(index, results[0].shape).enumerated() {
          source[permutation[to]] = place
        }
        return Indexing.linear(source, x.type.shape)
      }
    ]
  }
}
