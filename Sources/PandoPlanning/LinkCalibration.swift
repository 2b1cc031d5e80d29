import Foundation
import Pando

/// Measures what exchanges between the ranks of a host take.
public enum LinkCalibration {
  /// Bytes of the whole tensor in each exchange: from what only latency decides to what only bandwidth does.
  private static let sizes = [1 << 10, 1 << 13, 1 << 16, 1 << 19, 1 << 22, 1 << 24]

  /// Times each kind of exchange in several sizes and draws a line through the times of each. Collective.
  ///
  /// - Parameter processBytes: what each process has taken to become a rank.
  public static func measure(_ communicator: any Communicator, processBytes: Int) throws -> LinkTimes {
    var link = LinkTimes(lines: [:], processBytes: processBytes)
    for kind in ExchangeKind.allCases {
      var seconds: [Double] = []
      for bytes in sizes { seconds.append(try measure(kind, bytes, communicator)) }
      let fitted = LineFit.nonNegative(rows: sizes.map { [1, Double($0)] }, values: seconds)
      link.lines[kind] = LinkTimes.Line(latency: fitted[0], perByte: fitted[1])
    }
    return link
  }

  /// The median of some rounds of exchanges of a size, in seconds for one.
  private static func measure(_ kind: ExchangeKind, _ bytes: Int, _ communicator: any Communicator) throws
    -> Double
  {
    let (size, rank) = (communicator.size, communicator.rank)
    let part = bytes / size / 4
    let (whole, other) = (HostBuffer(TensorType([part * size])), HostBuffer(TensorType([part * size])))
    let piece = HostBuffer(TensorType([part]))
    let label = "the calibration"
    func once() throws {
      switch kind {
      case .allReduce: try communicator.allReduce(whole.mutableBytes, of: .float32, label: label)
      case .reduceScatter:
        try communicator.reduceScatter(whole.bytes, into: piece.mutableBytes, of: .float32, label: label)
      case .allGather: try communicator.allGather(piece.bytes, into: whole.mutableBytes, label: label)
      case .allToAll: try communicator.allToAll(whole.bytes, into: other.mutableBytes, label: label)
      case .send:
        let receive = communicator.startReceive(
          other.mutableBytes, from: (rank + size - 1) % size, tag: 3, label: label)
        let send = communicator.startSend(whole.bytes, to: (rank + 1) % size, tag: 3, label: label)
        try receive.wait()
        try send.wait()
      }
    }
    let turns = max(2, min(200, (8 << 20) / bytes))
    var times: [Double] = []
    for round in 0..<6 {
      try communicator.barrier(label: label)
      let start = ContinuousClock.now
      for _ in 0..<turns { try once() }
      // In the first round memory is touched for the first time.
      if round > 0 { times.append(start.duration(to: .now) / .seconds(1) / Double(turns)) }
    }
    withExtendedLifetime((whole, other, piece)) {}
    return max(1e-9, times.sorted()[times.count / 2])
  }
}
