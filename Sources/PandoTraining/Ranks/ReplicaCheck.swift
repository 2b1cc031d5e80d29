import Pando

extension Ranks {
  /// Makes sure that all ranks ended with the same weights; all ranks call it.
  ///
  /// - Parameter digest: of this rank's weights, as many characters on every rank.
  /// - Throws: `TrainingError` that names a rank whose weights differ.
  func requireEqual(weights digest: String) throws {
    guard let communicator else { return }
    let mine = Array(digest.utf8)
    var all = [UInt8](repeating: 0, count: mine.count * count)
    try mine.withUnsafeBytes { mine in
      try all.withUnsafeMutableBytes {
        try communicator.allGather(mine, into: $0, label: "the weights' digest")
      }
    }
    let digests = (0..<count).map { Array(all[$0 * mine.count..<($0 + 1) * mine.count]) }
    guard let other = digests.firstIndex(where: { $0 != digests[0] }) else { return }
    throw TrainingError(
      "the weights of rank \(other) are not those of rank 0, so the ranks have not trained one network; a host with "
        + "damaged memory, or with another processor whose arithmetic rounds otherwise, would do that")
  }
}
