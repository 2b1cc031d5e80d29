import PandoIR
import PandoOperations

extension Slice: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    return [
      ReferenceTensor(results[0], from: x) { index in
        let place = Indexing.coordinates(index, results[0].shape)
        return Indexing.linear(place.indices.map { starts[$0] + place[$0] * strides[$0] }, x.type.shape)
      }
    ]
  }
}

extension Pad: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, value) = (operands[0], operands[1])
    /// The element of x at a place of the result; `nil` where a copy of the value is.
    func source(_ index: Int) -> Int? {
      var place = Indexing.coordinates(index, results[0].shape)
      for dimension in place.indices {
        let offset = place[dimension] - low[dimension]
        let step = interior[dimension] + 1
        guard offset >= 0, offset.isMultiple(of: step), offset / step < x.type.shape[dimension] else {
          return nil
        }
        place[dimension] = offset / step
      }
      return Indexing.linear(place, x.type.shape)
    }
    return [
      ReferenceTensor(
        results[0], real: { source($0).map { x.reals[$0] } ?? value.reals[0] },
        integer: { source($0).map { x.integers[$0] } ?? value.integers[0] })
    ]
  }
}

extension Concatenate: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    /// Which operand has the element at a place of the result, and where.
    func source(_ index: Int) -> (operand: ReferenceTensor, index: Int) {
      var place = Indexing.coordinates(index, results[0].shape)
      var number = 0
      while place[dimension] >= operands[number].type.shape[dimension] {
        place[dimension] -= operands[number].type.shape[dimension]
        number += 1
      }
      return (operands[number], Indexing.linear(place, operands[number].type.shape))
    }
    return [
      ReferenceTensor(
        results[0],
        real: { index in
          let (operand, place) = source(index)
          return operand.reals[place]
        },
        integer: { index in
          let (operand, place) = source(index)
          return operand.integers[place]
        })
    ]
  }
}

extension Reverse: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let shape = results[0].shape
    return [
      ReferenceTensor(results[0], from: operands[0]) { index in
        var place = Indexing.coordinates(index, shape)
        for dimension in dimensions { place[dimension] = shape[dimension] - 1 - place[dimension] }
        return Indexing.linear(place, shape)
      }
    ]
  }
}

extension Iota: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    func place(_ index: Int) -> Int { Indexing.coordinates(index, type.shape)[dimension] }
    return [ReferenceTensor(type, real: { Double(place($0)) }, integer: { Int64(place($0)) })]
  }
}
