import PandoIR
import PandoOperations

extension RandomBits: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (seed, step) = (operands[0].integers[0], operands[0].integers[1])
    let words = (0..<results[0].count).map { index -> Int64 in
      let block = Philox.block(
        UInt64(index / 4), stream: UInt32(stream), step: UInt64(bitPattern: step),
        seed: UInt64(bitPattern: seed))
      return Int64(Int32(bitPattern: block[index % 4]))
    }
    return [ReferenceTensor(results[0], integers: words)]
  }
}
