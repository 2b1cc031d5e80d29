import Foundation
import PandoIR
import PandoTraining
import Testing

private struct DiskIsFull: Error, CustomStringConvertible {
  var description: String { "no space left on device" }
}

private func manifest(_ step: Int, best: Int? = nil) -> CheckpointManifest {
  CheckpointManifest(
    step: step, position: step * 32, seed: 7, optimizer: "adamw",
    parameters: [.init("hidden.weight", TensorType([4, 2])), .init("hidden.bias", TensorType([4]))],
    best: best.map { .init(metric: "accuracy", value: 0.5, step: $0) }, state: ["seconds": "1.5"])
}

private func file(_ name: String, _ text: String) -> CheckpointStore.FileWriter {
  (name, { try Data(text.utf8).write(to: $0) })
}

private func save(
  _ store: CheckpointStore, _ step: Int, best: Int? = nil, keep: Int = 2, text: String? = nil
) throws {
  let text = text ?? "weights of \(step)"
  let files = [file("weights.safetensors", text), file("optimizer.safetensors", "slots of \(step)")]
  try store.save(manifest(step, best: best), files: files, keep: keep)
}

struct CheckpointStoreTests {
  let folder: TemporaryFolder
  let store: CheckpointStore

  init() throws {
    folder = try TemporaryFolder()
    store = CheckpointStore(folder.url.appending(path: "checkpoints"))
  }

  @Test func savedCheckpointIsFound() throws {
    #expect(store.latest() == nil)
    try save(store, 500)
    let found = try #require(store.latest())
    #expect(found.url.lastPathComponent == "step-500")
    var expected = manifest(500)
    expected.files = found.manifest.files
    #expect(found.manifest == expected)
    #expect(found.manifest.files.map(\.name) == ["weights.safetensors", "optimizer.safetensors"])
    #expect(found.manifest.files.map(\.bytes) == [14, 12])
    #expect(
      found.manifest.files[0].sha256 == "96b27f73d82894e85a137ee5c48d0269592ee082eba68e1148f04d875005833e")
    #expect(folder.names("checkpoints") == ["step-500"])
  }

  @Test func latestAndBestStay() throws {
    for step in 1...5 { try save(store, step, best: 2) }
    #expect(store.steps == [2, 4, 5])
    #expect(store.best()?.manifest.step == 2)
    try save(store, 6, best: 6, keep: 1)
    #expect(store.steps == [6])
    #expect(store.best()?.manifest.step == 6)
  }

  @Test func latestIsByNumberNotByName() throws {
    for step in [90, 100, 1000] { try save(store, step, keep: 9) }
    #expect(store.steps == [90, 100, 1000])
    #expect(store.latest()?.manifest.step == 1000)
  }

  @Test func sameStepIsReplaced() throws {
    try save(store, 5, text: "old")
    try save(store, 5, text: "new text")
    let found = try #require(store.latest())
    let text = try String(contentsOf: found.url.appending(path: "weights.safetensors"), encoding: .utf8)
    #expect(text == "new text")
    #expect(folder.names("checkpoints") == ["step-5"])
  }

  @Test func laterStepsOfAnAbandonedRunGo() throws {
    for step in [10, 20, 30] { try save(store, step, keep: 9) }
    try save(store, 15, keep: 9)
    #expect(store.steps == [10, 15])
  }

  /// Each way in which a folder can be torn, and what the reason says.
  enum Damage: CaseIterable {
    case noManifest, emptyManifest, halfManifest, missingFile, shortFile, longFile, flippedBit, otherStep,
      otherFormat
    case pathInManifest

    func apply(to place: URL) throws {
      let list = place.appending(path: "checkpoint.json")
      let weights = place.appending(path: "weights.safetensors")
      switch self {
      case .noManifest: try FileManager.default.removeItem(at: list)
      case .emptyManifest: try Data().write(to: list)
      case .halfManifest: try Data(try Data(contentsOf: list).prefix(100)).write(to: list)
      case .missingFile: try FileManager.default.removeItem(at: weights)
      case .shortFile: try Data(try Data(contentsOf: weights).dropLast()).write(to: weights)
      case .longFile: try (try Data(contentsOf: weights) + Data([0])).write(to: weights)
      case .flippedBit:
        var bytes = try Data(contentsOf: weights)
        bytes[3] ^= 1
        try bytes.write(to: weights)
      case .otherStep: try replace(#""step" : 20"#, #""step" : 21"#, in: list)
      case .otherFormat: try replace(#""format" : 2"#, #""format" : 99"#, in: list)
      case .pathInManifest: try replace("weights.safetensors", "../../secret", in: list)
      }
    }

    private func replace(_ old: String, _ new: String, in url: URL) throws {
      let text = try String(contentsOf: url, encoding: .utf8)
      #expect(text.contains(old))
      try Data(text.replacing(old, with: new).utf8).write(to: url)
    }

    var reason: String {
      switch self {
      case .noManifest, .emptyManifest, .halfManifest: "checkpoint.json is missing or torn"
      case .missingFile: "weights.safetensors is missing"
      case .shortFile: "weights.safetensors has 12 bytes, expected 13"
      case .longFile: "weights.safetensors has 14 bytes, expected 13"
      case .flippedBit: "weights.safetensors is damaged"
      case .otherStep: "its manifest says step 21"
      case .otherFormat: "is in format 99, expected 1 to 2"
      case .pathInManifest: "no plain file name"
      }
    }
  }

  @Test(arguments: Damage.allCases)
  func tornCheckpointNeverHidesTheGoodOne(_ damage: Damage) throws {
    try save(store, 10)
    try save(store, 20)
    try damage.apply(to: store.url(ofStep: 20))
    var rejected: [CheckpointError] = []
    let found = store.latest { rejected.append($0) }
    #expect(found?.manifest.step == 10)
    #expect(rejected.count == 1)
    #expect(rejected.first?.message.contains(damage.reason) == true, "\(rejected)")
    // The next save counts only whole ones among those that stay.
    if damage != .flippedBit {
      try save(store, 30)
      #expect(store.steps == [10, 30])
    }
  }

  @Test(arguments: [0, 1])
  func fullDiskLeavesTheOldOnes(_ failing: Int) throws {
    try save(store, 10)
    var files = [file("weights.safetensors", "new"), file("optimizer.safetensors", "new")]
    files[failing].write = { url in
      try Data("half".utf8).write(to: url)
      throw DiskIsFull()
    }
    let error = #expect(throws: CheckpointError.self) { try store.save(manifest(20), files: files, keep: 1) }
    #expect(
      error?.message
        == "could not be saved; the checkpoints before it are intact: no space left on device")
    #expect(folder.names("checkpoints") == ["step-10"])
    #expect(store.latest()?.manifest.step == 10)
    // The same for one that would have replaced its like.
    #expect(throws: CheckpointError.self) { try store.save(manifest(10), files: files, keep: 1) }
    #expect(store.latest()?.manifest.step == 10)
    #expect(folder.names("checkpoints") == ["step-10"])
  }

  @Test func writerThatWritesNothingIsAnError() throws {
    #expect(throws: CheckpointError.self) {
      try store.save(manifest(1), files: [("weights.safetensors", { _ in })], keep: 1)
    }
    #expect(folder.names("checkpoints").isEmpty)
  }

  /// A run killed while saving leaves a hidden folder as it was at that moment, some of its files there.
  @Test func killWhileSavingIsCleanedUp() throws {
    try save(store, 10)
    for (index, names) in [[], ["weights.safetensors"], ["weights.safetensors", "checkpoint.json"]]
      .enumerated()
    {
      let partial = store.folder.appending(path: ".step-2\(index).partial")
      try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
      for name in names { try Data("torn".utf8).write(to: partial.appending(path: name)) }
    }
    #expect(store.latest()?.manifest.step == 10)
    try store.removeLeftovers()
    #expect(folder.names("checkpoints") == ["step-10"])
  }

  /// Killed between the two renames of a replacement, the old checkpoint comes back.
  @Test func killWhileReplacingLosesNothing() throws {
    try save(store, 10, text: "old")
    let hidden = store.folder.appending(path: ".step-10.replaced")
    try FileManager.default.moveItem(at: store.url(ofStep: 10), to: hidden)
    try store.removeLeftovers()
    #expect(store.latest()?.manifest.step == 10)
    #expect(folder.names("checkpoints") == ["step-10"])
    // Killed after the second rename, the old one goes.
    try FileManager.default.copyItem(at: store.url(ofStep: 10), to: hidden)
    try store.removeLeftovers()
    #expect(folder.names("checkpoints") == ["step-10"])
  }

  @Test func strangersAreLeftAlone() throws {
    try FileManager.default.createDirectory(
      at: store.folder.appending(path: "step-x"), withIntermediateDirectories: true)
    try Data().write(to: store.folder.appending(path: "notes.txt"))
    try save(store, 1, keep: 1)
    try save(store, 2, keep: 1)
    try store.removeLeftovers()
    #expect(folder.names("checkpoints") == ["notes.txt", "step-2", "step-x"])
  }

  @Test func otherModelIsRefused() throws {
    try save(store, 1)
    let saved = try #require(store.latest()).manifest
    try saved.requireMatch(parameters: saved.parameters, optimizer: "adamw", at: store.folder)
    let error = #expect(throws: CheckpointError.self) {
      try saved.requireMatch(
        parameters: [
          .init("hidden.weight", TensorType([8, 2])), .init("output.weight", TensorType([1, 8])),
        ], optimizer: "sgd", at: store.folder)
    }
    let message = error?.message ?? ""
    #expect(message.contains("hidden.weight is float32[8,2] in the model but float32[4,2] in the checkpoint"))
    #expect(message.contains("output.weight float32[1,8] is not in the checkpoint"))
    #expect(message.contains("hidden.bias float32[4] is not in the model"))
    #expect(message.contains("the optimizer is sgd in the recipe but adamw in the checkpoint"))
  }

  @Test func bestThatIsNoNumberIsNone() throws {
    var saved = CheckpointManifest(
      step: 1, position: 1, seed: 1, optimizer: "sgd", parameters: [],
      best: .init(metric: "loss", value: .nan, step: 1))
    #expect(saved.best == nil)
    saved.state = ["a": "b"]
    try store.save(saved, files: [], keep: 1)
    #expect(store.best() == nil)
    #expect(store.latest()?.manifest == saved)
  }
}
