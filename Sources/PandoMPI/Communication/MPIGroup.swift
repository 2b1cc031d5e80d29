import CMPI

/// A group of ranks as MPI knows it. Groups are few and live until MPI ends.
final class MPIGroup: @unchecked Sendable {
  // MPI's functions may be called by any thread.
  let handle: pmpi_comm
  let rank: Int
  let size: Int

  init(handle: pmpi_comm) throws(MPIError) {
    var (rank, size): (Int32, Int32) = (0, 0)
    if let error = MPIError(pmpi_rank(handle, &rank, &size), "number the ranks") { throw error }
    self.handle = handle
    (self.rank, self.size) = (Int(rank), Int(size))
  }

  /// Every rank's number, by rank.
  func gather(_ number: Int64) throws(MPIError) -> [Int64] {
    var mine = number
    var all = [Int64](repeating: 0, count: size)
    if let error = MPIError(pmpi_gather_all(&mine, &all, 8, handle), "gather from the ranks") { throw error }
    return all
  }

  /// The group of the ranks with this rank's color, in order of key; `nil` without a color.
  func split(color: Int?, key: Int) throws(MPIError) -> MPIGroup? {
    var group: pmpi_comm?
    let code = pmpi_split(handle, color.map { Int32($0) } ?? -1, Int32(key), &group)
    if let error = MPIError(code, "split a group") { throw error }
    guard let group else { return nil }
    return try MPIGroup(handle: group)
  }

  /// The same group, whose messages are kept apart from this one's.
  func duplicate() throws(MPIError) -> MPIGroup {
    var copy: pmpi_comm?
    if let error = MPIError(pmpi_duplicate(handle, &copy), "copy a group") { throw error }
    return try MPIGroup(handle: copy!)
  }
}
