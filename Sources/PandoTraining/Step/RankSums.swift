import Pando

/// Tensors that the ranks of a mesh add up inside a program: large ones each by itself, and small ones several at a time,
/// as one vector, since an exchange has a price that does not depend on its size (the buckets of Li et al. 2020, "PyTorch
/// Distributed", arXiv:2006.15704).
struct RankSums {
  let mesh: Mesh

  /// A tensor below this is small: larger ones would be copied for little.
  private static let smallBytes = 256 << 10
  /// The most bytes of one vector, so that the first ones are on their way early.
  private static let bucketBytes = 1 << 20

  /// The sum of each tensor over all ranks, in the order of `tensors`.
  ///
  /// - Parameter tensors: with what they are called in errors and timelines, about in the order in which they are made:
  ///   neighbours share a vector, which is on its way once all of them are there.
  func callAsFunction(_ tensors: [(label: String, value: Tensor)]) -> [Tensor] {
    var sums = tensors.map(\.value)
    var bucket: [Int] = []
    func close() {
      guard let first = bucket.first else { return }
      let more = bucket.count > 1 ? " and \(bucket.count - 1) more" : ""
      for (place, sum) in zip(bucket, joined(bucket.map { tensors[$0].value }, tensors[first].label + more)) {
        sums[place] = sum
      }
      bucket = []
    }
    for (place, (label, value)) in tensors.enumerated() {
      guard value.type.byteCount < Self.smallBytes, value.dtype == .float32 else {
        sums[place] = value.summed(over: mesh, label: label)
        continue
      }
      let bytes = bucket.reduce(value.type.byteCount) { $0 + tensors[$1].value.type.byteCount }
      if bytes > Self.bucketBytes { close() }
      bucket.append(place)
    }
    close()
    return sums
  }

  /// One vector of all is added up, and taken apart again.
  private func joined(_ tensors: [Tensor], _ label: String) -> [Tensor] {
    guard tensors.count > 1 else { return tensors.map { $0.summed(over: mesh, label: label) } }
    let sum = concatenate(tensors.map { $0.reshape([$0.type.count]) }).summed(over: mesh, label: label)
    var start = 0
    return tensors.map { tensor in
      defer { start += tensor.type.count }
      return sum.slice(0, start..<start + tensor.type.count).reshape(tensor.shape)
    }
  }
}
