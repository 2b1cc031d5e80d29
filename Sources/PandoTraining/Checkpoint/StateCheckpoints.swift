import Foundation
import Pando
import PandoData

/// A run's checkpoints: `model.safetensors` with weights and statistics, `optimizer.safetensors`, and for text
/// `vocabulary.json`; `exchange.safetensors` with what ranks have not told each other yet, where there is such. Of several
/// ranks each writes its part, a shard of each: what it alone holds, and its share of what others hold too. Where the
/// ranks that see the run's folder do not hold all of it, it is gathered for the first one, which writes it.
///
/// A part is a copy, written in the background while the run goes on. Once all ranks have written theirs, which they tell
/// each other, the first one writes the manifest and puts the checkpoint in place; until then it is not there.
public final class StateCheckpoints: CheckpointKeeper {
  static let modelStem = "model"
  static let optimizerStem = "optimizer"
  static let vocabularyFile = "vocabulary.json"
  static let exchangeStem = "exchange"

  private let store: CheckpointStore
  private let ranks: Ranks
  private let share: StateShare?
  private let writer: (index: Int, count: Int)
  private let isWriter: Bool
  private let inBackground: Bool
  /// Whether the state is brought together on the first rank to be written.
  private let gathers: Bool
  /// Whether what the ranks remember beside it is.
  private let gathersCarried: Bool
  private let keep: Int
  /// Training time before this session and since, for the manifest.
  private let seconds: () -> Double
  /// The run's energy so far, for the manifest.
  private let energy: () -> [Double]
  /// What this rank writes, and of which checkpoint it is a part.
  private var writing: (manifest: CheckpointManifest, job: BackgroundJob<[CheckpointManifest.File]>)?
  /// The first rank's last checkpoint on its way to its place.
  private var placing: BackgroundJob<Void>?

  /// - Parameters:
  ///   - store: where the checkpoints are; ready on the first rank.
  ///   - run: whose state is saved. All ranks make theirs at once.
  ///   - seconds: the run's training time so far, all sessions together; the first rank's counts.
  ///   - energy: the `values` of its energy's tally, all sessions together.
  /// - Throws: `CommunicationError`; `OffloadError` where the copy is to lie in a file for which there is no room.
  public init(
    _ store: CheckpointStore, of run: TrainingRun, seconds: @escaping () -> Double,
    energy: @escaping () -> [Double] = { [] }
  ) throws {
    self.store = store
    self.seconds = seconds
    self.energy = energy
    ranks = run.ranks
    keep = run.recipe.checkpoint.keep
    let shards = run.state.shards(ranks: ranks.count)
    let seeing = try SharedFolder.ranks(seeing: store.folder, among: ranks)
    gathers = !shards.areWhole(on: Set(seeing))
    let writers = gathers ? [0] : seeing
    // Where not all ranks write, a copy would take more than was planned.
    inBackground = run.recipe.checkpoint.background && writers.count == ranks.count
    gathersCarried = writers.count != ranks.count
    let index = writers.firstIndex(of: ranks.rank)
    writer = (index ?? 0, writers.count)
    isWriter = index != nil
    share =
      gathers || index == nil
      ? nil
      : try StateShare(
        run.state, gathersCarried ? [] : run.program.carried, shards, rank: ranks.rank, writers: writers,
        copies: inBackground, offload: run.state.offload)
  }

  /// What a run had spent when a checkpoint was made.
  struct Spent {
    /// Training time.
    var seconds = 0.0
    /// The `values` of its energy's tally.
    var energy: [Double] = []
  }

  public func save(_ run: TrainingRun, isBest: Bool) throws {
    try settle()
    let manifest = try manifest(run)
    var files: [CheckpointStore.FileWriter] = []
    let gathered = gathers ? try run.state.whole() : nil
    if let share = share ?? gathered.map(StateShare.init(whole:)), isWriter {
      share.snapshot()
      files.append((name(Self.modelStem), { try share.writeModel(to: $0) }))
      files.append((name(Self.optimizerStem), { try share.writeOptimizer(to: $0) }))
      if share.holdsExchange {
        files.append((name(Self.exchangeStem), { try share.writeExchange(to: $0) }))
      }
    }
    if ranks.isFirst, case .language(let vocabulary) = run.task.kind {
      files.append((Self.vocabularyFile, { try vocabulary.save(to: $0) }))
    }
    let written = gathersCarried ? try writeGathered(run) : []
    let part = CheckpointPart(store: store, step: manifest.step, files: files)
    writing = (manifest, BackgroundJob("pando.checkpoint") { try written + part.write() })
    if !inBackground { try finish() }
  }

  /// Brings what the ranks remember to the first one, which writes it before the next step begins, since it changes with
  /// that.
  private func writeGathered(_ run: TrainingRun) throws -> [CheckpointManifest.File] {
    let gathered = try run.gatherCarried()
    guard !gathered.isEmpty else { return [] }
    let tensors = gathered.map { ($0.name, $0.buffer.type, $0.buffer.bytes) }
    let name = ShardPlan.fileName(Self.exchangeStem, writer: 0, of: 1)
    return try withExtendedLifetime(gathered) {
      try store.writePart(ofStep: run.step, files: [(name, { try SafetensorsWriter.write(tensors, to: $0) })])
    }
  }

  public var isWritten: Bool { writing?.job.isDone ?? true }

  public func settle() throws {
    guard let (manifest, job) = writing else { return }
    writing = nil
    let outcome = job.wait()
    var placed = manifest
    if let communicator = ranks.communicator {
      let reports = try PartReport(outcome).gathered(over: communicator)
      if let (rank, failure) = reports.enumerated().lazy.compactMap({ rank, report in
        report.failure.map { (rank, $0) }
      }).first {
        if ranks.isFirst { store.discardPart(ofStep: manifest.step) }
        throw CheckpointError(
          store.url(ofStep: manifest.step),
          "rank \(rank) could not save its part; the checkpoints before it are intact: \(failure)")
      }
      placed.files = reports.flatMap(\.files)
    } else {
      do { placed.files = try outcome.get() } catch {
        store.discardPart(ofStep: manifest.step)
        throw CheckpointError(
          store.url(ofStep: manifest.step),
          "could not be saved; the checkpoints before it are intact: \(error)")
      }
    }
    guard ranks.isFirst else { return }
    try placing?.wait().get()
    placing = BackgroundJob("pando.checkpoint") { [store, keep, placed] in
      _ = try store.commit(placed, keep: keep)
    }
  }

  public func finish() throws {
    try settle()
    try placing?.wait().get()
    placing = nil
  }

  public func abandon() {
    if ranks.communicator == nil { return (try? finish()) ?? () }
    // The others may not come to agree any more.
    _ = writing?.job.wait()
    _ = placing?.wait()
  }

  private func name(_ stem: String) -> String {
    ShardPlan.fileName(stem, writer: writer.index, of: writer.count)
  }

  private func manifest(_ run: TrainingRun) throws -> CheckpointManifest {
    let metric = (run.recipe.objective.metric ?? .loss).rawValue
    return CheckpointManifest(
      step: run.step, position: run.position, seed: run.recipe.seed, optimizer: run.optimizerName,
      parameters: run.state.weights.map { CheckpointManifest.Tensor($0.name, $0.type) },
      best: run.best.map { CheckpointManifest.Best(metric: metric, value: $0.value, step: $0.step) },
      state: [
        "evaluations_since_best": "\(run.evaluationsSinceBest)", "seconds": "\(seconds())",
        "last_loss": "\(run.lastLoss)", "energy": energy().map { "\($0)" }.joined(separator: " "),
        Self.methodsKey: try Self.text(of: run.device.methods?.decisions ?? [:]),
      ])
  }

  private static let methodsKey = "methods"

  private static func text(of decisions: MethodBook.Choices) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(decisions), as: UTF8.self)
  }

  /// The decisions on methods of the run that wrote a checkpoint; one that went by rule has made none.
  ///
  /// - Throws: `CheckpointError` where they cannot be read.
  static func methods(of found: CheckpointStore.Found) throws -> MethodBook.Choices {
    guard let text = found.manifest.state[methodsKey] else { return [:] }
    guard let decisions = try? JSONDecoder().decode(MethodBook.Choices.self, from: Data(text.utf8)) else {
      throw CheckpointError(
        found.url, "state.\(methodsKey) is not an object of strings; start anew without --resume")
    }
    return decisions
  }

  /// Puts a checkpoint's state into a run, however many ranks wrote it; where the run is spread, for `shareState` to hand
  /// out.
  ///
  /// - Returns: what the run had spent before the checkpoint.
  /// - Throws: `CheckpointError` that lists the names and shapes which differ; `DataError` where a file is damaged.
  static func restore(_ found: CheckpointStore.Found, into run: TrainingRun) throws -> Spent {
    let manifest = found.manifest
    try manifest.requireMatch(
      parameters: run.state.weights.map { CheckpointManifest.Tensor($0.name, $0.type) },
      optimizer: run.optimizerName, at: found.url)
    guard manifest.seed == run.recipe.seed, manifest.position == manifest.step * run.samplesPerStep else {
      throw CheckpointError(
        found.url,
        "was made with seed \(manifest.seed) and \(manifest.position) samples in \(manifest.step) steps; the recipe has "
          + "seed \(run.recipe.seed) and \(run.samplesPerStep) samples a step. Use the run's own recipe.yaml")
    }
    if run.state.parallelism == nil {
      try read(run.state.weights, modelStem, of: found)
      try read(run.state.slots.flatMap { $0 }, optimizerStem, of: found)
    } else {
      run.saved = SavedState(found: found)
    }
    run.step = manifest.step
    run.best = manifest.best.map { ($0.value, $0.step) }
    run.evaluationsSinceBest = manifest.state["evaluations_since_best"].flatMap { Int($0) } ?? 0
    run.lastLoss = manifest.state["last_loss"].flatMap { Double($0) } ?? .nan
    return Spent(
      seconds: manifest.state["seconds"].flatMap { Double($0) } ?? 0,
      energy: (manifest.state["energy"] ?? "").split(separator: " ").compactMap { Double($0) })
  }

  /// Reads every tensor of `entries` from a checkpoint's shards, which may hold more.
  static func read(_ entries: [TrainingState.Entry], _ stem: String, of found: CheckpointStore.Found) throws {
    let reader = try ShardReader(stem, of: found)
    for entry in entries {
      try withExtendedLifetime(entry.buffer) {
        try reader.read(TensorSlice(whole: entry.name, entry.buffer.type), into: entry.buffer.mutableBytes)
      }
      entry.buffer.release()
    }
  }
}

/// One rank's part of a checkpoint, to be written by another thread: until that has ended no one touches what it reads.
private struct CheckpointPart: @unchecked Sendable {
  let store: CheckpointStore
  let step: Int
  let files: [CheckpointStore.FileWriter]

  func write() throws -> [CheckpointManifest.File] { try store.writePart(ofStep: step, files: files) }
}
