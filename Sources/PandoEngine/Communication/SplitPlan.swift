/// Who is in a rank's new group: what every communicator's `split` works out first.
package struct SplitPlan {
  /// The ranks, counted in the old group, that gave this rank's color, in the order of the new group; empty without one.
  package let members: [Int]

  /// Asks all ranks for their color and key.
  package init(color: Int?, key: Int, in communicator: any Communicator) throws(CommunicationError) {
    let mine = [color == nil ? 0 : 1, color ?? 0, key]
    var all = Array(repeating: 0, count: 3 * communicator.size)
    let source = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 8)
    let destination = UnsafeMutableRawBufferPointer.allocate(byteCount: all.count * 8, alignment: 8)
    defer {
      source.deallocate()
      destination.deallocate()
    }
    mine.withUnsafeBytes { source.copyMemory(from: $0) }
    try communicator.allGather(
      UnsafeRawBufferPointer(source), into: destination, label: "the split of a group")
    all.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(destination)) }
    guard let color else {
      members = []
      return
    }
    let same = (0..<communicator.size).filter { all[3 * $0] == 1 && all[3 * $0 + 1] == color }
    members = same.sorted { (all[3 * $0 + 2], $0) < (all[3 * $1 + 2], $1) }
  }
}
