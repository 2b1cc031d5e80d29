import Foundation
import Pando
import PandoData

/// A run's checkpoints: `model.safetensors` with weights and statistics, `optimizer.safetensors`, and for text
/// `vocabulary.json`; `exchange.safetensors` with what ranks have not told each other yet, where there is such.
public final class StateCheckpoints: CheckpointKeeper {
  static let modelFile = "model.safetensors"
  static let optimizerFile = "optimizer.safetensors"
  static let vocabularyFile = "vocabulary.json"
  static let exchangeFile = "exchange.safetensors"

  private let store: CheckpointStore
  /// Training time before this session and since, for the manifest.
  private let seconds: () -> Double
  /// The run's energy so far, for the manifest.
  private let energy: () -> [Double]

  /// - Parameters:
  ///   - seconds: the run's training time so far, all sessions together.
  ///   - energy: the `values` of its energy's tally, all sessions together.
  public init(
    _ store: CheckpointStore, seconds: @escaping () -> Double, energy: @escaping () -> [Double] = { [] }
  ) {
    self.store = store
    self.seconds = seconds
    self.energy = energy
  }

  /// What a run had spent when a checkpoint was made.
  struct Spent {
    /// Training time.
    var seconds = 0.0
    /// The `values` of its energy's tally.
    var energy: [Double] = []
  }

  public func save(_ run: TrainingRun, isBest: Bool) throws {
    let metric = (run.recipe.objective.metric ?? .loss).rawValue
    let manifest = CheckpointManifest(
      step: run.step, position: run.position, seed: run.recipe.seed, optimizer: run.optimizerName,
      parameters: run.state.weights.map { CheckpointManifest.Tensor($0.name, $0.type) },
      best: run.best.map { CheckpointManifest.Best(metric: metric, value: $0.value, step: $0.step) },
      state: [
        "evaluations_since_best": "\(run.evaluationsSinceBest)", "seconds": "\(seconds())",
        "last_loss": "\(run.lastLoss)", "energy": energy().map { "\($0)" }.joined(separator: " "),
        Self.methodsKey: try Self.text(of: run.device.methods?.decisions ?? [:]),
      ])
    guard let whole = try run.wholeState ?? run.state.whole() else {
      preconditionFailure("the first rank saves, and has gathered the state")
    }
    var files: [CheckpointStore.FileWriter] = [
      (Self.modelFile, { try Self.write(whole.weights, to: $0) }),
      (Self.optimizerFile, { try Self.write(whole.slots, to: $0) }),
    ]
    if case .language(let vocabulary) = run.task.kind {
      files.append((Self.vocabularyFile, { try vocabulary.save(to: $0) }))
    }
    if !run.gathered.isEmpty {
      let tensors = run.gathered.map { ($0.name, $0.buffer.type, $0.buffer.bytes) }
      files.append((Self.exchangeFile, { try SafetensorsWriter.write(tensors, to: $0) }))
    }
    try store.save(manifest, files: files, keep: run.recipe.checkpoint.keep)
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

  /// Puts a checkpoint's state into a run, where it is spread for `shareState` to hand out.
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
    let whole = run.state.wholeBuffers()
    try read(whole.weights, from: found.url.appending(path: modelFile))
    try read(whole.slots, from: found.url.appending(path: optimizerFile))
    if run.state.parallelism != nil { run.wholeState = whole }
    run.step = manifest.step
    run.best = manifest.best.map { ($0.value, $0.step) }
    run.evaluationsSinceBest = manifest.state["evaluations_since_best"].flatMap { Int($0) } ?? 0
    run.lastLoss = manifest.state["last_loss"].flatMap { Double($0) } ?? .nan
    return Spent(
      seconds: manifest.state["seconds"].flatMap { Double($0) } ?? 0,
      energy: (manifest.state["energy"] ?? "").split(separator: " ").compactMap { Double($0) })
  }

  static func write(_ entries: [TrainingState.Entry], to url: URL) throws {
    try SafetensorsWriter.write(
      entries.map { ($0.name, $0.buffer.type, $0.buffer.bytes) }, metadata: ["format": "pt"], to: url)
  }

  /// Reads every tensor of `entries` from a file, which may hold more.
  static func read(_ entries: [TrainingState.Entry], from url: URL) throws {
    let file = try SafetensorsFile(contentsOf: url)
    for entry in entries {
      guard let type = file.type(of: entry.name) else {
        throw DataError(.malformed, at: url.path, "lacks the tensor \(entry.name)")
      }
      guard type == entry.buffer.type else {
        throw DataError(.malformed, at: url.path, "\(entry.name) is \(type), expected \(entry.buffer.type)")
      }
      try file.withBytes(of: entry.name) { bytes in
        if let base = bytes.baseAddress, bytes.count > 0 { entry.buffer.write(from: base) }
      }
    }
  }
}
