import PandoIR
import PandoOperations

/// A contraction seen as a batched matrix product: every label is a batch (in all three tensors), a row (of the first
/// operand and the result), a column (of the second operand and the result) or summed.
struct ContractionShape {
  /// Labels of each kind, in the order in which they are laid out.
  let batch: [Character], rows: [Character], columns: [Character], summed: [Character]
  private let sizes: [Character: Int]

  init(_ contraction: Contraction, _ operands: [TensorType]) {
    var sizes = Dictionary(zip(contraction.lhs, operands[0].shape), uniquingKeysWith: { first, _ in first })
    sizes.merge(zip(contraction.rhs, operands[1].shape), uniquingKeysWith: { first, _ in first })
    self.sizes = sizes
    let (lhs, rhs, result) = (contraction.lhs, contraction.rhs, contraction.result)
    batch = result.filter { lhs.contains($0) && rhs.contains($0) }.map { $0 }
    rows = result.filter { lhs.contains($0) && !rhs.contains($0) }.map { $0 }
    columns = result.filter { !lhs.contains($0) && rhs.contains($0) }.map { $0 }
    summed = lhs.filter { !result.contains($0) }.map { $0 }
  }

  /// The product of the sizes of some labels.
  func size(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * sizes[$1]! } }

  /// The sizes of some labels.
  func shape(_ labels: [Character]) -> [Int] { labels.map { sizes[$0]! } }

  /// The stride with which a tensor is walked along `labels` as one dimension; `nil` where it is not one.
  func stride(_ labels: [Character], in tensor: String, _ type: TensorType) -> Int? {
    let strides = Dictionary(uniqueKeysWithValues: zip(tensor, type.strides))
    var expected: Int?
    // From the innermost label outwards, each stride must be the one inside times its size.
    var inner: Int?
    for label in labels.reversed() where sizes[label]! != 1 {
      guard let stride = strides[label] else { return 0 }
      if let wanted = expected, wanted != stride { return nil }
      if inner == nil { inner = stride }
      expected = stride * sizes[label]!
    }
    return inner ?? 1
  }

  /// The strides of a tensor along some labels, one by one; 0 for a label it lacks.
  func strides(_ labels: [Character], in tensor: String, _ type: TensorType) -> [Int] {
    let strides = Dictionary(uniqueKeysWithValues: zip(tensor, type.strides))
    return labels.map { strides[$0] ?? 0 }
  }
}
