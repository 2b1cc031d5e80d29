import Foundation
import Pando

extension Timeline {
  /// The timelines of all ranks in the first one's time, on that rank; `nil` on the others. All ranks call it.
  func gathered(over communicator: any Communicator) throws -> [Timeline]? {
    var mine = self
    // The first meetings bring all ranks here; the last one ends at almost the same moment everywhere.
    for _ in 0..<3 { try communicator.barrier(label: "timelines") }
    mine.meeting = TimelineClock.now
    guard communicator.rank == 0 else {
      let data = try JSONEncoder().encode(mine)
      try withUnsafeBytes(of: Int64(data.count)) {
        try communicator.send($0, to: 0, label: "timeline's size")
      }
      try data.withUnsafeBytes { try communicator.send($0, to: 0, label: "timeline") }
      return nil
    }
    var all = [mine]
    for rank in 1..<communicator.size {
      var count: Int64 = 0
      try withUnsafeMutableBytes(of: &count) {
        try communicator.receive($0, from: rank, label: "timeline's size")
      }
      var data = Data(count: Int(count))
      try data.withUnsafeMutableBytes { try communicator.receive($0, from: rank, label: "timeline") }
      all.append(try JSONDecoder().decode(Timeline.self, from: data).aligned(to: mine))
    }
    return all
  }
}
