import PandoIR
import PandoOperations

extension RandomBits: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  {
    let (seed, step) = (operands[0].integers[0], operands[0].integers[1])
    let starts = try starts(in: group)
    let words = (0..<results[0].count).map { index -> Int64 in
      var number = index
      if let part {
        let place = zip(Indexing.coordinates(index, shape), starts).map { $0 + $1 }
        number = Indexing.linear(place, part.whole)
      }
      let block = Philox.block(
        UInt64(number / 4), stream: UInt32(stream), step: UInt64(bitPattern: step),
        seed: UInt64(bitPattern: seed))
      return Int64(Int32(bitPattern: block[number % 4]))
    }
    return [ReferenceTensor(results[0], integers: words)]
  }

  /// The first place of this rank's part along every dimension of the whole.
  ///
  /// - Throws: `EngineError` where it is a part of several and the program was compiled without a mesh.
  public func starts(in group: MeshGroup?) throws -> [Int] {
    guard let part else { return shape.map { _ in 0 } }
    return try part.axes.indices.map { dimension in
      let place = AxisIndex(
        axes: part.axes[dimension], parts: part.parts[dimension], factor: shape[dimension])
      return try place.index(in: group) * shape[dimension]
    }
  }
}
