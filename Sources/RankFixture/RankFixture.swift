import Foundation
import PandoEngine
import PandoIR
import PandoMPI
import Synchronization

/// A program whose ranks fail in the ways that tests want to see: `RankFixture MODE [FOLDER]`.
@main
enum RankFixture {
  static func main() {
    let arguments = CommandLine.arguments
    do {
      try run(arguments[1], URL(fileURLWithPath: arguments.count > 2 ? arguments[2] : "/tmp"))
    } catch let error as CommunicationError {
      say("\(error)")
      if case .aborted = error.reason { _exit(Supervisor.retryCode) }
      _exit(1)
    } catch {
      say("\(error)")
      _exit(2)
    }
  }

  nonisolated static func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  nonisolated static func run(_ mode: String, _ folder: URL) throws {
    let world = try MPIWorld(settings: MPISettings(spins: false))
    let ranks = world.communicator
    ranks.recorder.step = 812
    let tensor = HostBuffer(TensorType([1000]), Array(repeating: Float(1), count: 1000))
    switch mode {
    case "mismatch":
      let bytes = UnsafeMutableRawBufferPointer(rebasing: tensor.mutableBytes[..<(ranks.rank == 1 ? 8 : 4)])
      try withExtendedLifetime(tensor) {
        try ranks.allReduce(bytes, of: .float32, label: "blocks.4.mlp.weight")
      }
    case "differ":
      var agreement = RunAgreement()
      agreement.addProgram()
      agreement.add("recipe", text: ranks.rank == 1 ? "steps: 2" : "steps: 1")
      try agreement.check(ranks)
    case "agree":
      var agreement = RunAgreement()
      agreement.addProgram()
      agreement.add("file data", file: folder, mend: "give all hosts the same data")
      try agreement.check(ranks)
    case "hang": try hang(ranks, tensor, folder)
    case "work": try work(ranks, tensor, folder)
    default: say("no mode \(mode)")
    }
    try world.finish()
  }

  /// Rank 1 never comes to what the others wait for.
  nonisolated static func hang(_ ranks: MPICommunicator, _ tensor: HostBuffer, _ folder: URL) throws {
    let watchdog = Watchdog(
      ranks.recorder, limits: Watchdog.Limits(warnSeconds: 0.2, abortSeconds: 0.6),
      note: { say("warning: \($0)") }
    ) { text in
      try? ranks.recorder.write(to: folder.appendingPathComponent("rank-\(ranks.rank).json"))
      ranks.abort(text)
    }
    defer { watchdog.stop() }
    if ranks.rank == 1 { sleep(60) }
    try ranks.allReduce(tensor.mutableBytes, of: .float32, label: "blocks.4.mlp.weight")
  }

  /// 40 steps with a checkpoint after each; the last rank dies from step 5 on while a file called `fault` lies there.
  nonisolated static func work(_ ranks: MPICommunicator, _ tensor: HostBuffer, _ folder: URL) throws {
    let asked = Mutex(false)
    signal(Supervisor.stopSignal, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: Supervisor.stopSignal, queue: .global())
    source.setEventHandler { asked.withLock { $0 = true } }
    source.resume()
    let (checkpoint, fault) = (folder.appendingPathComponent("step"), folder.appendingPathComponent("fault"))
    var step = Int((try? String(contentsOf: checkpoint, encoding: .utf8)) ?? "0") ?? 0
    if ranks.rank == 0 { say("begins at step \(step) with \(ranks.size) ranks, pid \(getpid())") }
    let stop = HostBuffer(TensorType([1], .int32))
    while step < 40 {
      try ranks.allReduce(tensor.mutableBytes, of: .float32, kind(step), label: "weights")
      if step >= 5, ranks.rank == ranks.size - 1, FileManager.default.fileExists(atPath: fault.path) {
        if try String(contentsOf: fault, encoding: .utf8) == "once" {
          try FileManager.default.removeItem(at: fault)
        }
        kill(getpid(), SIGKILL)
      }
      step += 1
      if ranks.rank == 0 { try Data("\(step)".utf8).write(to: checkpoint, options: .atomic) }
      stop.pointer.storeBytes(of: asked.withLock { $0 } ? 1 : 0, as: Int32.self)
      try ranks.allReduce(stop.mutableBytes, of: .int32, .maximum, label: "whether to stop")
      if stop.pointer.load(as: Int32.self) != 0 {
        if ranks.rank == 0 { say("stopped with a checkpoint at step \(step)") }
        return
      }
      usleep(5_000)
    }
    if ranks.rank == 0 { say("ends at step \(step)") }
  }

  nonisolated static func kind(_ step: Int) -> ReductionKind { step % 2 == 0 ? .sum : .maximum }
}
