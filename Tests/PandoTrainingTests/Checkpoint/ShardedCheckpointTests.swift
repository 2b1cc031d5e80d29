import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Checkpoints that several ranks write, each its part, while they train.
@Suite struct ShardedCheckpointTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let rows = (0..<60).map { "\(Double($0 * 37 % 11) / 11),\(Double($0 * 53 % 17) / 17),\($0 % 3)" }
    try Data((["a,b,class"] + rows).joined(separator: "\n").utf8).write(
      to: folder.url.appending(path: "table.csv"))
  }

  private func recipe(background: Bool = true, keep: Int = 2) throws -> Recipe {
    try Recipe(
      yaml: """
        name: sharded
        seed: 5
        reproducible: true
        data: {source: \(folder.url.appending(path: "table.csv").path), batch: 12}
        model: {kind: mlp, hidden: [16, 9]}
        train:
          steps: 12
          optimizer: {kind: adamw, learning-rate: 1e-2}
          evaluate: {every: 12}
        checkpoint: {every: 4, keep: \(keep), background: \(background)}
        """)
  }

  /// The hash of the weights at the end of a run on so many ranks.
  @discardableResult
  private func train(_ recipe: Recipe, ranks: Int, in name: String, resumes: Bool = false) throws -> String {
    let (run, data) = (RunFolder(folder.url.appending(path: name)), folder.url)
    let hashes = try InProcessCommunicator.run(ranks) { communicator in
      try TrainingSession(
        recipe, folder: run, resumes: resumes, dataFolder: data, device: try Device(named: "cpu", threads: 1),
        progress: nil, ranks: Ranks(communicator)
      ).run(note: { _ in }, shouldStop: { false }).summary.weightsSHA256
    }
    #expect(Set(hashes).count == 1)
    return hashes[0]
  }

  private func store(_ name: String) -> CheckpointStore {
    RunFolder(folder.url.appending(path: name)).checkpoints
  }

  @Test func whatThreeRanksWroteAnyNumberGoesOnFrom() throws {
    let expected = try train(try recipe(), ranks: 1, in: "alone")
    #expect(try train(try recipe(), ranks: 3, in: "three") == expected)
    #expect(folder.names("three/checkpoints") == ["step-12", "step-8"])
    #expect(
      folder.names("three/checkpoints/step-8") == [
        "checkpoint.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors", "optimizer-00001-of-00003.safetensors",
        "optimizer-00002-of-00003.safetensors", "optimizer-00003-of-00003.safetensors",
      ])
    try FileManager.default.removeItem(at: store("three").url(ofStep: 12))
    for ranks in [1, 2, 5] {
      let copy = "copy-\(ranks)"
      try FileManager.default.copyItem(
        at: folder.url.appending(path: "three"), to: folder.url.appending(path: copy))
      #expect(try train(try recipe(), ranks: ranks, in: copy, resumes: true) == expected, "\(ranks) ranks")
      #expect(store(copy).latest()?.manifest.step == 12)
    }
  }

  @Test func shardsAreMerged() throws {
    try train(try recipe(), ranks: 1, in: "alone")
    try train(try recipe(background: false), ranks: 3, in: "three")
    let merged = folder.url.appending(path: "merged.safetensors")
    try #require(store("three").latest()).merge(to: merged)
    let whole = try Data(contentsOf: store("alone").url(ofStep: 12).appending(path: "model.safetensors"))
    #expect(try Data(contentsOf: merged) == whole)
  }

  @Test func aMissingOrDamagedShardIsNamed() throws {
    try train(try recipe(keep: 3), ranks: 3, in: "three")
    let store = store("three")
    let missing = store.url(ofStep: 12).appending(path: "optimizer-00003-of-00003.safetensors")
    try FileManager.default.removeItem(at: missing)
    let damaged = store.url(ofStep: 8).appending(path: "model-00002-of-00003.safetensors")
    var bytes = try Data(contentsOf: damaged)
    bytes[bytes.count - 3] ^= 1
    try bytes.write(to: damaged)
    var rejected: [String] = []
    #expect(store.latest { rejected.append($0.message) }?.manifest.step == 4)
    #expect(rejected.count == 2)
    #expect(rejected.first == "optimizer-00003-of-00003.safetensors is missing")
    #expect(rejected.last?.hasPrefix("model-00002-of-00003.safetensors is damaged") == true)
  }

  /// A manifest without one of the shards has sound files, but not the whole state.
  @Test func aPartThatNoShardHoldsIsNamed() throws {
    try train(try recipe(), ranks: 3, in: "three")
    var found = try #require(store("three").latest())
    var manifest = found.manifest
    manifest.files.removeAll { $0.name == "model-00002-of-00003.safetensors" }
    found = CheckpointStore.Found(url: found.url, manifest: manifest)
    let error = #expect(throws: DataError.self) {
      try found.merge(to: folder.url.appending(path: "merged.safetensors"))
    }
    #expect(error?.message.contains("its shards hold") == true, "\(String(describing: error))")
    #expect(!folder.names("").contains("merged.safetensors"))
    manifest.files += manifest.files
    found = CheckpointStore.Found(url: found.url, manifest: manifest)
    let twice = #expect(throws: DataError.self) {
      try found.merge(to: folder.url.appending(path: "merged.safetensors"))
    }
    #expect(twice?.message.contains("two shards hold the same part") == true, "\(String(describing: twice))")
  }

  @Test func aPartThatCannotBeWrittenEndsTheRunEverywhere() throws {
    let run = RunFolder(folder.url.appending(path: "run"))
    let recipe = try recipe()
    let task = try TrainingTask(recipe, dataFolder: folder.url)
    try run.prepare(resuming: false)
    // Where the second checkpoint is to be written stands a file.
    try Data().write(to: run.checkpoints.folder.appending(path: ".step-8.partial"))
    let errors = try InProcessCommunicator.run(2) { communicator -> String in
      let ranks = Ranks(communicator)
      let training = try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: ranks)
      let keeper = try StateCheckpoints(run.checkpoints, of: training, seconds: { 0 })
      do { _ = try Trainer(training, checkpoints: keeper).train() } catch { return "\(error)" }
      return "no error"
    }
    #expect(errors.allSatisfy { $0.contains("step-8: rank 0 could not save its part") }, "\(errors)")
    #expect(run.checkpoints.steps == [4])
    #expect(run.checkpoints.latest()?.manifest.step == 4)
  }

  /// Ranks of a host without the first one's files leave their part to those that have them.
  @Test func onlyThoseWriteWhoSeeTheFolder() throws {
    let recipe = try recipe()
    let task = try TrainingTask(recipe, dataFolder: folder.url)
    let (here, elsewhere) = (
      RunFolder(folder.url.appending(path: "here")), RunFolder(folder.url.appending(path: "else"))
    )
    try here.prepare(resuming: false)
    let digests = try InProcessCommunicator.run(3) { communicator -> String in
      let training = try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: Ranks(communicator))
      let keeper = try StateCheckpoints(
        (communicator.rank == 1 ? elsewhere : here).checkpoints, of: training, seconds: { 0 })
      _ = try Trainer(training, checkpoints: keeper).train()
      return try training.weightsDigest()
    }
    #expect(Set(digests).count == 1)
    #expect(folder.names("here/checkpoints/step-12").count { $0.hasPrefix("model-") } == 2)
    #expect(!FileManager.default.fileExists(atPath: elsewhere.url.path))
    try #require(here.checkpoints.latest()).merge(to: folder.url.appending(path: "merged.safetensors"))
  }

  /// What is planned for the copies is the state, divided.
  @Test func theCopyIsPlanned() throws {
    let recipe = try recipe()
    let task = try TrainingTask(recipe, dataFolder: folder.url)
    let plans = try InProcessCommunicator.run(3) { communicator -> [Int] in
      let plan = try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: Ranks(communicator)
      ).plan
      return [plan.checkpointBytes, plan.parameterBytes + plan.optimizerBytes]
    }
    #expect(plans.reduce(0) { $0 + $1[0] } == plans[0][1])
    let alone = try TrainingRun(try self.recipe(background: false), task: task, device: .cpu).plan
    #expect(alone.checkpointBytes == 0)
  }
}
