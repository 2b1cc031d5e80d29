import PandoCPU
import PandoEngine
import PandoIR
import PandoTestSupport
import Testing

/// What is computed again on the CPU engine gives the same bits, and takes the memory that was planned.
@Suite struct RecomputationTests {
  static let seeds = Array(UInt64(1)...12)

  private func run(
    _ step: RandomTrainingStep, _ policy: Recomputation.Policy
  ) throws -> (bits: [[Double]], memory: MemoryReport) {
    let executable = try CPUEngine().compile(
      step.graph,
      options: CompileOptions(
        threads: 2, donations: step.donations, verify: true, recompute: Recomputation(policy, loss: 0)))
    let buffers = step.arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    let donors = Dictionary(uniqueKeysWithValues: step.donations.map { ($0.value, $0.key) })
    let results = executable.outputTypes.enumerated().map { donors[$0].map { buffers[$0] } ?? HostBuffer($1) }
    for _ in 0..<3 { try executable.run(buffers, into: results) }
    return (results.map(\.doubles), executable.memory)
  }

  @Test(arguments: seeds) func policiesGiveTheSameBits(_ seed: UInt64) throws {
    let step = try RandomTrainingStep(seed: seed, layers: 10, rows: 33, features: 24)
    let whole = try run(step, .none)
    for policy in [Recomputation.Policy.blocks, .sqrt] {
      let other = try run(step, policy)
      #expect(other.bits == whole.bits)
      #expect(other.memory.measuredArenaBytes == other.memory.arenaBytes)
    }
  }

  /// Any budget between the smallest and everything is met, with the same bits; below it is refused.
  @Test(arguments: seeds) func budgetsAreMet(_ seed: UInt64) throws {
    let step = try RandomTrainingStep(seed: seed, layers: 12, rows: 200, features: 16)
    let whole = try run(step, .none)
    let least = try #require(throws: ArenaLimitError.self) { _ = try run(step, .fit(arenaBytes: 1)) }.smallest
    #expect(least < whole.memory.arenaBytes)
    for part in 0...4 {
      let budget = least + (whole.memory.arenaBytes - least) * part / 4
      let other = try run(step, .fit(arenaBytes: budget))
      #expect(other.memory.arenaBytes <= budget)
      #expect(other.memory.measuredArenaBytes == other.memory.arenaBytes)
      #expect(other.bits == whole.bits)
    }
    #expect(throws: ArenaLimitError(limit: least - 1, smallest: least)) {
      _ = try run(step, .fit(arenaBytes: least - 1))
    }
  }

  /// A deep network whose layers keep little needs memory like the square root of its depth.
  @Test func deepNetworksNeedTheSquareRoot() throws {
    func arena(_ layers: Int, _ policy: Recomputation.Policy) throws -> Int {
      let step = try RandomTrainingStep(seed: 3, layers: layers, rows: 4096, features: 8)
      let options = CompileOptions(threads: 2, recompute: Recomputation(policy, loss: 0))
      return try CPUEngine().compile(step.graph, options: options).memory.arenaBytes
    }
    let (small, large) = (try arena(16, .sqrt), try arena(64, .sqrt))
    #expect(
      large < small * 3,
      "\(large) against \(small): four times the layers, not much more than twice the memory")
    #expect(try arena(64, .none) > large * 4)
  }
}
