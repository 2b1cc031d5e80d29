import PandoIR
import PandoOperations

/// The lines of a tensor along one dimension.
private struct Lines {
  let type: TensorType
  let dimension: Int

  var length: Int { type.shape[dimension] }
  private var inner: Int { type.shape[(dimension + 1)...].reduce(1, *) }
  var count: Int { type.shape[..<dimension].reduce(1, *) * inner }

  /// The linear indices of a line's elements, in order. Lines are numbered in row-major order of the other dimensions.
  func places(_ line: Int) -> [Int] {
    let first = line / inner * length * inner + line % inner
    return (0..<length).map { first + $0 * inner }
  }
}

extension ReferenceTensor {
  /// Whether an element is smaller than another; NaN is larger than every number.
  fileprivate func isSmaller(_ first: Int, _ second: Int) -> Bool {
    guard type.dtype.isFloatingPoint else { return integers[first] < integers[second] }
    return reals[first] < reals[second] || (reals[second].isNaN && !reals[first].isNaN)
  }

  /// For each line the places along it in sorted order; of equals the first comes first.
  fileprivate func sorted(along dimension: Int, descending: Bool) -> [[Int]] {
    let lines = Lines(type: type, dimension: dimension)
    return (0..<lines.count).map { line in
      let places = lines.places(line)
      return places.indices.sorted { first, second in
        let (a, b) = descending ? (second, first) : (first, second)
        if isSmaller(places[a], places[b]) { return true }
        if isSmaller(places[b], places[a]) { return false }
        return first < second
      }
    }
  }

  /// What stands at the first places of an order, and those places.
  fileprivate func taken(_ orders: [[Int]], along dimension: Int, _ results: [TensorType])
    -> [ReferenceTensor]
  {
    let (from, to) = (Lines(type: type, dimension: dimension), Lines(type: results[0], dimension: dimension))
    var sources = [Int](repeating: 0, count: results[0].count)
    var places = [Int64](repeating: 0, count: results[0].count)
    for line in 0..<to.count {
      let (own, target) = (from.places(line), to.places(line))
      for (place, index) in zip(orders[line], target) {
        sources[index] = own[place]
        places[index] = Int64(place)
      }
    }
    return [
      ReferenceTensor(results[0], from: self) { sources[$0] },
      ReferenceTensor(results[1], integers: places),
    ]
  }
}

extension ArgMax: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    let lines = Lines(type: x.type, dimension: dimension)
    let places = (0..<lines.count).map { line -> Int64 in
      let places = lines.places(line)
      var best = 0
      for (index, place) in places.enumerated() {
        let isBetter = minimum ? x.isSmaller(place, places[best]) : x.isSmaller(places[best], place)
        if isBetter { best = index }
      }
      return Int64(best)
    }
    return [ReferenceTensor(results[0], integers: places)]
  }
}

extension CumulativeSum: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    let lines = Lines(type: x.type, dimension: dimension)
    var (reals, integers) = (x.reals, x.integers)
    for line in 0..<lines.count {
      let places = lines.places(line)
      var (real, integer): (Double, Int64) = (0, 0)
      for place in reverse ? places.reversed() : places {
        let before = (real, integer)
        if x.type.dtype.isFloatingPoint {
          real += x.reals[place]
          reals[place] = exclusive ? before.0 : real
        } else {
          integer &+= x.integers[place]
          integers[place] = exclusive ? before.1 : integer
        }
      }
    }
    return [ReferenceTensor(results[0], real: { reals[$0] }, integer: { integers[$0] })]
  }
}

extension Sort: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let orders = operands[0].sorted(along: dimension, descending: descending)
    return operands[0].taken(orders, along: dimension, results)
  }
}

extension TopK: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let orders = operands[0].sorted(along: dimension, descending: true)
    return operands[0].taken(orders, along: dimension, results)
  }
}
