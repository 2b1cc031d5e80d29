import ArgumentParser
import Foundation
import Pando
import PandoEngine
import PandoMPI
import PandoPlanning
import PandoTraining

/// The second half of `pando plan --calibrate`: two ranks that measure at once what each can do beside the other, and what
/// exchanges between them take.
struct CalibrateRanks {
  /// Threads of each rank.
  let threads: Int

  /// Two ranks that share these cores; `nil` where there are no two.
  init?(cores: Int) {
    guard cores > 1 else { return nil }
    threads = cores / 2
  }

  /// One of the two, with so many threads: a rank may be bound to its own cores, and cannot tell how many there are.
  init(threads: Int) { self.threads = max(1, threads) }

  /// Starts the ranks. They print what they find, unless `json`.
  func launch(json: Bool) throws {
    let launcher = Launcher(
      ranks: 2, threads: threads, program: RankEnd.program,
      arguments: ["plan", "--calibrate", "--threads", "\(threads)"] + (json ? ["--json"] : []))
    try RankEnd.launch(launcher)
  }

  /// What each rank does.
  func work(json: Bool) throws {
    let before = ProcessFigures.residentBytes
    let world = try MPIWorld(settings: MPISettings(spins: true))
    let communicator = world.communicator
    try communicator.barrier(label: "the calibration")
    let processBytes = max(0, ProcessFigures.residentBytes - before)
    let link = try LinkCalibration.measure(communicator, processBytes: processBytes)
    let device = try Device(named: "cpu", threads: threads)
    let ceilings = try Calibration.measure(
      on: device, meet: { try communicator.barrier(label: "the calibration") })
    try world.finish()
    guard communicator.rank == 0 else { return }
    let file = CalibrationFile()
    try file.save(ceilings, ofTwoRanksWith: threads, link: link)
    guard !json else { return }
    print("two ranks of \(threads) thread\(threads == 1 ? "" : "s") at once")
    CeilingsTable.show(ceilings)
    for kind in ExchangeKind.allCases {
      guard let line = link.lines[kind] else { continue }
      print(
        kind.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0)
          + String(
            format: " %7.1f GB/s %7.1f µs to begin", 1e-9 / max(1e-15, line.perByte), line.latency * 1e6))
    }
  }
}

/// Ceilings, for people.
enum CeilingsTable {
  static func show(_ ceilings: Ceilings) {
    for (title, lines) in [("32 bits", ceilings.lines), ("16 bits", ceilings.shortLines)] {
      for (kind, line) in lines.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        print(
          String(
            format: "%@ %@ %@ GFLOP/s %@ GB/s %@ GB/s in caches %7.1f µs to start",
            kind.rawValue.padding(toLength: 26, withPad: " ", startingAt: 0), title,
            rate(line.perOperation), rate(line.perByte), rate(line.perCachedByte), line.start * 1e6))
      }
    }
  }

  /// Units in thousand millions a second; a dash where what they take does not show.
  private static func rate(_ seconds: Double) -> String {
    seconds > 0 ? String(format: "%8.1f", 1e-9 / seconds) : String(repeating: " ", count: 7) + "–"
  }
}
