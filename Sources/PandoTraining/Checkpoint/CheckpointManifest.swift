import Foundation
import PandoIR

/// What a checkpoint holds: its `checkpoint.json`.
public struct CheckpointManifest: Hashable, Sendable, Codable {
  /// The layout that is written. The first one knew no shards; what it wrote reads like a single one.
  public static let format = 2

  /// A tensor's name and type.
  public struct Tensor: Hashable, Sendable, Codable {
    /// The parameter's property path.
    public var name: String
    /// Sizes, outermost first.
    public var shape: [Int]
    /// The elements' type.
    public var dtype: DType

    /// A tensor of `type`.
    public init(_ name: String, _ type: TensorType) {
      (self.name, shape, dtype) = (name, type.shape, type.dtype)
    }

    /// Its type.
    public var type: TensorType { TensorType(shape: shape, dtype: dtype) }
  }

  /// A file beside the manifest.
  public struct File: Hashable, Sendable, Codable {
    /// Its name in the checkpoint's folder.
    public var name: String
    /// Its size.
    public var bytes: Int
    /// Its digest, in hexadecimal digits.
    public var sha256: String
  }

  /// The best evaluation so far.
  public struct Best: Hashable, Sendable, Codable {
    /// What was measured.
    public var metric: String
    /// How good it was.
    public var value: Double
    /// The step at which it was measured.
    public var step: Int

    /// The best evaluation so far.
    public init(metric: String, value: Double, step: Int) {
      (self.metric, self.value, self.step) = (metric, value, step)
    }
  }

  /// The layout of this file.
  public var format = CheckpointManifest.format
  /// Updates of the weights so far.
  public var step: Int
  /// The run's position in its data: samples taken so far.
  public var position: Int
  /// From which every random number of the run follows.
  public var seed: Int
  /// The update rule's name.
  public var optimizer: String
  /// Every tensor of the model.
  public var parameters: [Tensor]
  /// The best evaluation so far; absent before the first, and where its value is not finite.
  public var best: Best?
  /// Whatever else a trainer needs to go on.
  public var state: [String: String]
  /// The files beside this one; the store fills them in.
  public var files: [File] = []

  /// A manifest of a run at `step`.
  public init(
    step: Int, position: Int, seed: Int, optimizer: String, parameters: [Tensor], best: Best? = nil,
    state: [String: String] = [:]
  ) {
    self.step = step
    self.position = position
    self.seed = seed
    self.optimizer = optimizer
    self.parameters = parameters
    self.best = best.flatMap { $0.value.isFinite ? $0 : nil }
    self.state = state
  }

  /// Throws where a model with `parameters`, trained by `optimizer`, cannot go on from this checkpoint: the
  /// error lists the names and both shapes.
  public func requireMatch(
    parameters expected: [Tensor], optimizer: String, at folder: URL
  ) throws(CheckpointError) {
    var differences: [String] = []
    let saved = Dictionary(parameters.map { ($0.name, $0.type) }) { first, _ in first }
    let wanted = Dictionary(expected.map { ($0.name, $0.type) }) { first, _ in first }
    for tensor in expected {
      switch saved[tensor.name] {
      case nil: differences.append("\(tensor.name) \(tensor.type) is not in the checkpoint")
      case let type? where type != tensor.type:
        differences.append("\(tensor.name) is \(tensor.type) in the model but \(type) in the checkpoint")
      default: break
      }
    }
    for tensor in parameters where wanted[tensor.name] == nil {
      differences.append("\(tensor.name) \(tensor.type) is not in the model")
    }
    if optimizer != self.optimizer {
      differences.append(
        "the optimizer is \(optimizer) in the recipe but \(self.optimizer) in the checkpoint")
    }
    guard !differences.isEmpty else { return }
    let shown = differences.prefix(8).joined(separator: "; ")
    let more = differences.count > 8 ? "; and \(differences.count - 8) more" : ""
    throw CheckpointError(
      folder,
      "is of another model: \(shown)\(more). Use the run's own recipe.yaml, or start anew without --resume")
  }
}

/// A checkpoint that cannot be used or written.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The checkpoint's folder.
  public var folder: URL
  /// What is wrong, and what to do.
  public var message: String

  /// An error of the checkpoint in `folder`.
  public init(_ folder: URL, _ message: String) { (self.folder, self.message) = (folder, message) }

  /// `runs/x/checkpoints/step-500: weights.safetensors has 12 bytes, expected 400`
  public var description: String { "\(folder.path): \(message)" }
}
