import Pando

/// Several float32 tensors behind each other in one vector, so that they are added and sent as one.
struct FlatLayout {
  let types: [TensorType]
  /// The first element of each; every tensor begins at a multiple of 64 bytes.
  let offsets: [Int]
  /// Elements of the vector.
  let count: Int

  /// Elements in 64 bytes.
  private static let unit = 16

  init(_ types: [TensorType]) {
    precondition(types.allSatisfy { $0.dtype == .float32 }, "sums are kept in float32")
    self.types = types
    var offsets: [Int] = []
    var next = 0
    for type in types {
      offsets.append(next)
      next += (type.count + Self.unit - 1) / Self.unit * Self.unit
    }
    self.offsets = offsets
    count = next
  }

  /// Elements of each of `pieces` pieces that together cover the vector.
  func pieceCount(_ pieces: Int) -> Int {
    ((count + pieces - 1) / pieces + Self.unit - 1) / Self.unit * Self.unit
  }

  /// The tensors of a vector.
  func views(of vector: HostBuffer) -> [HostBuffer] {
    zip(types, offsets).map { HostBuffer($0, borrowing: vector.pointer + $1 * 4) }
  }
}
