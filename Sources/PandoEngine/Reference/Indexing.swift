import PandoIR
import PandoOperations

/// Where the elements that a gather takes, or a scatter adds, lie in the tensor.
private struct TakenPlaces {
  let tensor: TensorType
  let indices: ReferenceTensor
  let taken: [Int]
  let axis: Int
  let batchDimensions: Int

  /// The index that stands for an element of what is taken, and a function from an index to the element's place.
  func place(of element: Int) -> (index: Int64, inTensor: (Int) -> Int) {
    let place = Indexing.coordinates(element, taken)
    let behind = axis + indices.type.rank - batchDimensions
    let index = Indexing.linear(
      Array(place[..<batchDimensions]) + place[axis..<behind], indices.type.shape)
    return (
      indices.integers[index],
      { Indexing.linear(Array(place[..<axis]) + [$0] + place[behind...], tensor.shape) }
    )
  }
}

extension Gather: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    let places = TakenPlaces(
      tensor: x.type, indices: operands[1], taken: results[0].shape, axis: axis,
      batchDimensions: batchDimensions)
    let last = Int64(x.type.shape[axis] - 1)
    return [
      ReferenceTensor(results[0], from: x) { element in
        let (index, inTensor) = places.place(of: element)
        return inTensor(Int(min(max(index, 0), last)))
      }
    ]
  }
}

extension ScatterAdd: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, updates) = (operands[0], operands[2])
    let places = TakenPlaces(
      tensor: x.type, indices: operands[1], taken: updates.type.shape, axis: axis,
      batchDimensions: batchDimensions)
    let size = Int64(x.type.shape[axis])
    var (reals, integers) = (x.reals, x.integers)
    for element in 0..<updates.type.count {
      let (index, inTensor) = places.place(of: element)
      guard index >= 0, index < size else { continue }
      let target = inTensor(Int(index))
      if x.type.dtype.isFloatingPoint {
        reals[target] += updates.reals[element]
      } else {
        integers[target] &+= updates.integers[element]
      }
    }
    return [ReferenceTensor(results[0], real: { reals[$0] }, integer: { integers[$0] })]
  }
}

/// The first place of a box along each dimension, moved so that the box lies inside.
private func clamped(_ start: ReferenceTensor, box: [Int], in shape: [Int]) -> [Int] {
  shape.indices.map { Int(min(max(start.integers[$0], 0), Int64(shape[$0] - box[$0]))) }
}

extension DynamicSlice: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    let first = clamped(operands[1], box: sizes, in: x.type.shape)
    return [
      ReferenceTensor(results[0], from: x) { index in
        Indexing.linear(zip(first, Indexing.coordinates(index, sizes)).map(+), x.type.shape)
      }
    ]
  }
}

extension DynamicUpdateSlice: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, update) = (operands[0], operands[1])
    let (shape, box) = (x.type.shape, update.type.shape)
    let first = clamped(operands[2], box: box, in: shape)
    /// The element of the update that overwrites a place; `nil` outside the box.
    func source(_ index: Int) -> Int? {
      let place = zip(Indexing.coordinates(index, shape), first).map(-)
      guard zip(place, box).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return nil }
      return Indexing.linear(place, box)
    }
    return [
      ReferenceTensor(
        results[0], real: { index in source(index).map { update.reals[$0] } ?? x.reals[index] },
        integer: { index in source(index).map { update.integers[$0] } ?? x.integers[index] })
    ]
  }
}
