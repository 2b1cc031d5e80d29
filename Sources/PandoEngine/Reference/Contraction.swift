import PandoIR
import PandoOperations

extension Contraction: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, y) = (operands[0], operands[1])
    var sizes = Dictionary(zip(lhs, x.type.shape), uniquingKeysWith: { first, _ in first })
    sizes.merge(zip(rhs, y.type.shape), uniquingKeysWith: { first, _ in first })
    let summed = String(sizes.keys.filter { !result.contains($0) }.sorted())
    let summedShape = summed.map { sizes[$0]! }

    /// For every place along `labels`, in order, how far it lies from the first element of an operand.
    func offsets(_ labels: String, _ shape: [Int], _ operand: String, _ type: TensorType) -> [Int] {
      let strides = Dictionary(uniqueKeysWithValues: zip(operand, type.strides))
      return (0..<shape.reduce(1, *)).map { index in
        zip(labels, Indexing.coordinates(index, shape)).reduce(0) { $0 + $1.1 * strides[$1.0, default: 0] }
      }
    }
    let (fromX, fromY) = (
      offsets(result, results[0].shape, lhs, x.type), offsets(result, results[0].shape, rhs, y.type)
    )
    let (stepX, stepY) = (
      offsets(summed, summedShape, lhs, x.type), offsets(summed, summedShape, rhs, y.type)
    )
    return [
      ReferenceTensor(
        results[0],
        real: { place in
          var sum = 0.0
          for inner in stepX.indices {
            sum += x.reals[fromX[place] + stepX[inner]] * y.reals[fromY[place] + stepY[inner]]
          }
          return sum
        },
        integer: { place in
          var sum: Int64 = 0
          for inner in stepX.indices {
            sum &+= x.integers[fromX[place] + stepX[inner]] &* y.integers[fromY[place] + stepY[inner]]
          }
          return sum
        })
    ]
  }
}
