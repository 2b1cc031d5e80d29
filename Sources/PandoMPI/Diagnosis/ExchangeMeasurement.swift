import Foundation
import PandoEngine
import PandoIR

/// How long an all-reduce takes between the ranks, by size: ours, and beside it Open MPI's own.
public struct ExchangeMeasurement: Hashable, Sendable, Codable {
  /// Bytes of each rank's tensor of float32.
  public let bytes: Int
  /// Microseconds of this project's all-reduce.
  public let microseconds: Double
  /// Microseconds of `MPI_Allreduce` in the same process, in turns with ours.
  public let mpiMicroseconds: Double
  /// Ours over MPI's in speed, as the median of the rounds' own ratios: 1 is as fast.
  public let speed: Double

  /// Measures on all ranks; collective. Medians over rounds in which both take turns.
  public static func run(_ communicator: MPICommunicator, bytes: Int) throws -> ExchangeMeasurement {
    let count = bytes / 4
    let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    floats.initialize(repeating: 0)
    defer { floats.deallocate() }
    let buffer = UnsafeMutableRawBufferPointer(floats)
    let turns = max(1, min(2000, (32 << 20) / max(bytes, 1)))
    func time(_ body: () throws -> Void) throws -> Double {
      try communicator.barrier(label: "the measurement")
      let start = ContinuousClock.now
      for _ in 0..<turns { try body() }
      return (ContinuousClock.now - start) / .microseconds(1) / Double(turns)
    }
    func ours() throws -> Double {
      try time { try communicator.allReduce(buffer, of: .float32, label: "the measurement") }
    }
    func theirs() throws -> Double { try time { communicator.plainAllReduce(floats) } }
    _ = (try ours(), try theirs())
    var (first, second): ([Double], [Double]) = ([], [])
    for round in 0..<15 {
      // The one that comes second finds the caches as the first left them, so they swap places.
      if round % 2 == 0 {
        first.append(try ours())
        second.append(try theirs())
      } else {
        second.append(try theirs())
        first.append(try ours())
      }
    }
    return ExchangeMeasurement(
      bytes: bytes, microseconds: median(first), mpiMicroseconds: median(second),
      speed: median(zip(first, second).map { $1 / $0 }))
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
