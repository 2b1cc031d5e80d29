import PandoIR
import PandoOperations

extension Contraction: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, y) = (operands[0], operands[1])
    var sizes = Dictionary(zip(lhs, x.type.shape), uniquingKeysWith: { first, _ in first })
    sizes.merge(zip(rhs, y.type.shape), uniquingKeysWith: { first, _ in first })
    let summed = sizes.keys.filter { !result.contains($0) }.sorted()
    let summedShape = summed.map { sizes[$0]! }
    let summedCount = summedShape.reduce(1, *)

    func index(_ labels: String, _ shape: [Int], _ places: [Character: Int]) -> Int {
      Indexing.linear(labels.map { places[$0]! }, shape)
    }
    func pairs(at output: Int, _ body: (Int, Int) -> Void) {
      var places = Dictionary(
        uniqueKeysWithValues: zip(result, Indexing.coordinates(output, results[0].shape)))
      for inner in 0..<summedCount {
        for (label, place) in zip(summed, Indexing.coordinates(inner, summedShape)) { places[label] = place }
        body(index(lhs, x.type.shape, places), index(rhs, y.type.shape, places))
      }
    }
    return [
      ReferenceTensor(
        results[0],
        real: { output in
          var sum = 0.0
          pairs(at: output) { sum += x.reals[$0] * y.reals[$1] }
          return sum
        },
        integer: { output in
          var sum: Int64 = 0
          pairs(at: output) { sum &+= x.integers[$0] &* y.integers[$1] }
          return sum
        })
    ]
  }
}
