import PandoIR
import PandoOperations

extension Reduce: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    let kept = x.type.shape.indices.filter { !dimensions.contains($0) }
    func target(_ index: Int) -> Int {
      let place = Indexing.coordinates(index, x.type.shape)
      return Indexing.linear(kept.map { place[$0] }, results[0].shape)
    }
    if x.type.dtype.isFloatingPoint {
      let start: Double =
        switch function {
        case .sum: 0
        case .product: 1
        case .maximum: -.infinity
        case .minimum: .infinity
        }
      var totals = [Double](repeating: start, count: results[0].count)
      for (index, value) in x.reals.enumerated() {
        let place = target(index)
        let total = totals[place]
        switch function {
        case .sum: totals[place] = total + value
        case .product: totals[place] = total * value
        case .maximum: totals[place] = total.isNaN || value.isNaN ? .nan : max(total, value)
        case .minimum: totals[place] = total.isNaN || value.isNaN ? .nan : min(total, value)
        }
      }
      return [ReferenceTensor(results[0], reals: totals)]
    }
    let start: Int64 =
      switch function {
      case .sum: 0
      case .product: 1
      case .maximum: .min
      case .minimum: .max
      }
    var totals = [Int64](repeating: start, count: results[0].count)
    for (index, value) in x.integers.enumerated() {
      let place = target(index)
      switch function {
      case .sum: totals[place] &+= value
      case .product: totals[place] &*= value
      case .maximum: totals[place] = max(totals[place], value)
      case .minimum: totals[place] = min(totals[place], value)
      }
    }
    return [ReferenceTensor(results[0], integers: totals)]
  }
}
