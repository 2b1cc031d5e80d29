import Foundation
import PandoCPU
import PandoEngine
import PandoIR
import PandoTestSupport
import Testing

/// Programs with inputs and values in files give the same bits, and have no more of them in memory than was planned.
@Suite(.serialized) struct OffloadTests {
  private struct Outcome {
    let bits: [[Double]]
    let memory: MemoryReport
    /// The most bytes of files in memory, as the system counts, while a step was at work.
    let residentBytes: Int
  }

  private func run(
    _ step: RandomTrainingStep, state: Bool = false, values: Bool = false, isCached: Bool = true,
    policy: Recomputation.Policy = .none
  ) throws -> Outcome {
    let folder = try FileMappings.diskFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let inFile = state ? Set(step.donations.keys) : []
    let offload = Offload(inputs: inFile, values: values ? folder : nil, isCached: isCached)
    let executable = try CPUEngine().compile(
      step.graph,
      options: CompileOptions(
        threads: 2, donations: step.donations, verify: true, recompute: Recomputation(policy, loss: 0),
        offload: offload))
    let file = try OffloadFile(
      in: folder,
      byteCount: inFile.reduce(1) { $0 + OffloadFile.aligned(step.arguments[$1].type.byteCount) },
      isCached: isCached)
    let buffers = step.arguments.enumerated().map { place, argument in
      let buffer =
        inFile.contains(place) ? HostBuffer(argument.type, in: file) : HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      buffer.release()
      return buffer
    }
    let donors = Dictionary(uniqueKeysWithValues: step.donations.map { ($0.value, $0.key) })
    let results = executable.outputTypes.enumerated().map { donors[$0].map { buffers[$0] } ?? HostBuffer($1) }
    try executable.run(buffers, into: results)
    var most = 0
    try executable.run(
      buffers, into: results,
      timing: { _ in most = max(most, (try? FileMappings.residentBytes(in: folder)) ?? .max) })
    try executable.run(buffers, into: results)
    #expect(try FileMappings.residentBytes(in: folder) == 0, "all is out of memory after a run")
    return Outcome(bits: results.map(\.doubles), memory: executable.memory, residentBytes: most)
  }

  private func expectAsPlanned(_ outcome: Outcome) {
    let memory = outcome.memory
    #expect(memory.measuredArenaBytes == memory.arenaBytes)
    #expect(memory.measuredWindowBytes == memory.windowBytes)
    #expect(outcome.residentBytes <= memory.windowBytes, "the system counts more than was planned")
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6], [true, false])
  func theBitsAreTheSame(_ seed: UInt64, isCached: Bool) throws {
    let step = try RandomTrainingStep(seed: seed, layers: 8, rows: 1024, features: 64)
    let plain = try run(step)
    #expect(plain.memory.windowBytes == 0 && plain.memory.fileBytes == 0)
    for (state, values) in [(true, false), (false, true), (true, true)] {
      let other = try run(step, state: state, values: values, isCached: isCached)
      #expect(other.bits == plain.bits)
      expectAsPlanned(other)
      #expect(other.memory.windowBytes > 0)
      if state { #expect(other.memory.argumentBytes < plain.memory.argumentBytes) }
      if values {
        #expect(other.memory.fileBytes > 0)
        #expect(other.memory.workingBytes < plain.memory.workingBytes)
      } else {
        #expect(other.memory.arenaBytes == plain.memory.arenaBytes && other.memory.fileBytes == 0)
      }
    }
  }

  /// A deep network's activations go to the file but for the window, and a smaller budget is met with less work.
  @Test func offloadedValuesNeedLittleMemory() throws {
    let step = try RandomTrainingStep(seed: 3, layers: 24, rows: 4096, features: 32)
    let (plain, other) = (try run(step), try run(step, values: true))
    #expect(other.memory.workingBytes * 2 < plain.memory.workingBytes)
    expectAsPlanned(other)
    let budget = other.memory.workingBytes
    let fitted = try run(step, values: true, policy: .fit(arenaBytes: budget))
    #expect(fitted.memory.workingBytes <= budget && fitted.bits == plain.bits)
    let least = try #require(throws: ArenaLimitError.self) {
      _ = try run(step, values: true, policy: .fit(arenaBytes: 1))
    }.smallest
    let smallest = try run(step, values: true, policy: .fit(arenaBytes: least))
    // What is named is enough; a way that computes less again may need even less, with more in the file.
    #expect(smallest.memory.workingBytes <= least && smallest.bits == plain.bits)
    expectAsPlanned(smallest)
  }

  @Test func aBufferInMemoryIsRefused() throws {
    let step = try RandomTrainingStep(seed: 1, layers: 2)
    let executable = try CPUEngine().compile(
      step.graph,
      options: CompileOptions(donations: step.donations, offload: Offload(inputs: Set(step.donations.keys))))
    let buffers = step.arguments.map { HostBuffer($0.type) }
    let donors = Dictionary(uniqueKeysWithValues: step.donations.map { ($0.value, $0.key) })
    let results = executable.outputTypes.enumerated().map { donors[$0].map { buffers[$0] } ?? HostBuffer($1) }
    #expect(throws: EngineError.self) { try executable.run(buffers, into: results) }
  }
}
