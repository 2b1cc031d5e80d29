import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Checkpoints of runs whose state is spread: each rank writes what it holds, in the background, and any mesh goes on
/// from what any other one wrote.
@Suite struct SpreadCheckpointTests {
  /// A way of spreading a run, as recipes say it.
  struct Way: CustomStringConvertible, Sendable {
    let parallel: String
    let ranks: Int
    var description: String { parallel.isEmpty ? "one process" : parallel }
  }

  /// Each goes on from what the one before it wrote, the first from what the last one did.
  static let ways: [Way] = [
    Way(parallel: "", ranks: 1),
    Way(parallel: "{axes: {fsdp: 4}}", ranks: 4),
    Way(parallel: "{axes: {data: 2}}", ranks: 2),
    Way(parallel: "{axes: {data: 2, tensor: 2}, zero: 1}", ranks: 4),
    Way(parallel: "{axes: {pipeline: 2, tensor: 2}, pipeline: {micro-batches: 2}}", ranks: 4),
    Way(parallel: "{axes: {data: 2, fsdp: 2}}", ranks: 4),
    Way(parallel: "{axes: {pipeline: 3}, pipeline: {micro-batches: 2}}", ranks: 3),
    Way(parallel: "{axes: {sequence: 2}}", ranks: 2),
  ]

  private let folder: TemporaryFolder
  private var text: URL { folder.url.appending(path: "text.txt") }

  init() throws {
    folder = try TemporaryFolder()
    let letters = Array("abcdefghijkl")
    let characters = (0..<3000).map { letters[($0 * 7 + $0 / 9) % letters.count] }
    try Data(String(characters).utf8).write(to: text)
  }

  private func recipe(_ way: Way, background: Bool = true) throws -> Recipe {
    try Recipe(
      yaml: """
        name: spread
        seed: 5
        data: {source: \(text.path), unit: character, context: 8, batch: 8}
        model: {kind: gpt, layers: 3, width: 16, heads: 4, dropout: 0.0}
        train:
          steps: 8
          optimizer: {kind: adamw, learning-rate: 3e-3}
          clip-norm: 1.0
          evaluate: {every: 8}
        checkpoint: {every: 4, keep: 3, background: \(background)}
        """ + (way.parallel.isEmpty ? "" : "\nparallel: \(way.parallel)"))
  }

  @discardableResult
  private func train(_ way: Way, in name: String, resumes: Bool = false, background: Bool = true) throws
    -> RunSummary
  {
    let (run, data) = (RunFolder(folder.url.appending(path: name)), folder.url)
    let recipe = try recipe(way, background: background)
    let summaries = try InProcessCommunicator.run(way.ranks) { communicator in
      try TrainingSession(
        recipe, folder: run, resumes: resumes, dataFolder: data, device: try Device(named: "cpu", threads: 1),
        progress: nil, ranks: Ranks(communicator)
      ).run(note: { _ in }, shouldStop: { false }).summary
    }
    #expect(Set(summaries.map(\.weightsSHA256)).count == 1)
    #expect(summaries.allSatisfy { $0.peakMemoryBytes == $0.plannedMemoryBytes })
    return summaries[0]
  }

  private func store(_ name: String) -> CheckpointStore {
    RunFolder(folder.url.appending(path: name)).checkpoints
  }

  private func copy(_ name: String, to other: String, without step: Int) throws {
    try FileManager.default.copyItem(
      at: folder.url.appending(path: name), to: folder.url.appending(path: other))
    try FileManager.default.removeItem(at: store(other).url(ofStep: step))
  }

  /// The digest of a safetensors file's tensors with their names, in name order: what `weights_sha256` is.
  private func digest(of url: URL) throws -> String {
    let file = try SafetensorsFile(contentsOf: url)
    var hash = SHA256()
    for name in file.names.sorted() {
      name.utf8CString.withUnsafeBytes { hash.update($0) }
      try file.withBytes(of: name) { hash.update($0) }
    }
    return hash.hexDigest()
  }

  /// The same mesh ends with the same bits; another one with the same loss, but for the order of sums.
  @Test(arguments: ways.indices) func anyMeshGoesOnFromAnyOther(number: Int) throws {
    let (way, next) = (Self.ways[number], Self.ways[(number + 1) % Self.ways.count])
    let whole = try train(way, in: "whole")
    let names = folder.names("whole/checkpoints/step-4")
    #expect(names.count { $0.hasPrefix("model") } == way.ranks, "\(names)")
    #expect(names.count { $0.hasPrefix("optimizer") } == way.ranks, "\(names)")

    let merged = folder.url.appending(path: "merged.safetensors")
    try #require(store("whole").latest()).merge(to: merged)
    #expect(try digest(of: merged) == whole.weightsSHA256)

    try copy("whole", to: "same", without: 8)
    #expect(try train(way, in: "same", resumes: true).weightsSHA256 == whole.weightsSHA256)
    try copy("whole", to: "other", without: 8)
    let other = try train(next, in: "other", resumes: true)
    #expect(other.steps == 8)
    #expect(abs(other.trainLoss - whole.trainLoss) < 1e-5 * whole.trainLoss)
    #expect(try #require(store("other").latest()).manifest.step == 8)
  }

  /// No rank writes more than its share of what it holds, and nothing is written twice.
  @Test(arguments: [1, 3, 4, 5]) func theWorkIsDivided(number: Int) throws {
    let way = Self.ways[number]
    let recipe = try recipe(way)
    let task = try TrainingTask(recipe, dataFolder: folder.url)
    let plans = try InProcessCommunicator.run(way.ranks) {
      try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: Ranks($0)
      ).plan
    }
    let alone = try TrainingRun(try self.recipe(Self.ways[0]), task: task, device: .cpu).plan
    let state = alone.parameterBytes + alone.optimizerBytes
    #expect(plans.reduce(0) { $0 + $1.checkpointBytes } == state)
    for plan in plans {
      #expect(plan.checkpointBytes <= plan.parameterBytes + plan.optimizerBytes)
      #expect(plan.checkpointBytes > 0 && plan.checkpointBytes < state * 2 / way.ranks)
    }
    try train(way, in: "run")
    let sizes = (1...way.ranks).map { rank in
      ["model", "optimizer"].reduce(0) {
        let file = "\($1)-0000\(rank)-of-0000\(way.ranks).safetensors"
        let url = store("run").url(ofStep: 8).appending(path: file)
        return $0 + ((try? url.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0)
      }
    }
    // Beside its bytes a file has a header that names each tensor.
    for (size, plan) in zip(sizes, plans) {
      #expect(size >= plan.checkpointBytes && size < plan.checkpointBytes + 32_768, "\(sizes)")
    }
  }

  @Test(arguments: [1, 4]) func withoutACopyTheSameIsWritten(number: Int) throws {
    let way = Self.ways[number]
    try train(way, in: "background")
    try train(way, in: "foreground", background: false)
    let names = folder.names("background/checkpoints/step-4").filter { $0.hasSuffix(".safetensors") }
    #expect(!names.isEmpty)
    for name in names {
      let (one, other) = (store("background").url(ofStep: 4), store("foreground").url(ofStep: 4))
      #expect(
        try Data(contentsOf: one.appending(path: name)) == Data(contentsOf: other.appending(path: name)),
        "\(name)")
    }
  }

  /// The checkpoint before the one with a bad shard is taken, by any mesh, and the shard is named.
  @Test func aMissingOrDamagedShardIsNamed() throws {
    let way = Self.ways[5]
    let whole = try train(way, in: "run")
    let damaged = store("run").url(ofStep: 8).appending(path: "optimizer-00003-of-00004.safetensors")
    var bytes = try Data(contentsOf: damaged)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: damaged)
    var rejected: [String] = []
    #expect(store("run").latest { rejected.append($0.message) }?.manifest.step == 4)
    #expect(rejected.first?.hasPrefix("optimizer-00003-of-00004.safetensors is damaged") == true)
    #expect(try train(way, in: "run", resumes: true).weightsSHA256 == whole.weightsSHA256)
    try FileManager.default.removeItem(
      at: store("run").url(ofStep: 4).appending(path: "model-00002-of-00004.safetensors"))
    let error = #expect(throws: CheckpointError.self) { try store("run").validated(4) }
    #expect(error?.message == "model-00002-of-00004.safetensors is missing")
  }

  /// Trains with ranks that do not see the first one's folder; the files of the last checkpoint.
  private func trainApart(_ way: Way, elsewhere: Set<Int>) throws -> [String] {
    let recipe = try recipe(way)
    let task = try TrainingTask(recipe, dataFolder: folder.url)
    let (here, other) = (
      RunFolder(folder.url.appending(path: "here")), RunFolder(folder.url.appending(path: "else"))
    )
    try here.prepare(resuming: false)
    let digests = try InProcessCommunicator.run(way.ranks) { communicator -> String in
      let run = try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: Ranks(communicator))
      let place = elsewhere.contains(communicator.rank) ? other : here
      let keeper = try StateCheckpoints(place.checkpoints, of: run, seconds: { 0 })
      _ = try Trainer(run, checkpoints: keeper).train()
      return try run.weightsDigest()
    }
    #expect(!FileManager.default.fileExists(atPath: other.url.path))
    let merged = folder.url.appending(path: "merged.safetensors")
    try #require(here.checkpoints.latest()).merge(to: merged)
    #expect(try digest(of: merged) == digests[0])
    return folder.names("here/checkpoints/step-8").filter { $0.hasPrefix("model") }
  }

  /// Of ranks that hold the same, those write that see the folder.
  @Test func replicasWriteForThoseWhoDoNotSeeTheFolder() throws {
    #expect(try trainApart(Self.ways[5], elsewhere: [3]).count == 3)
  }

  /// What only a rank without the folder holds is gathered.
  @Test(arguments: [1, 4]) func whatNoWriterHoldsIsGathered(number: Int) throws {
    #expect(try trainApart(Self.ways[number], elsewhere: [2]) == ["model.safetensors"])
  }
}
