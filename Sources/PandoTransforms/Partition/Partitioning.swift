import PandoIR

/// What is known, before a graph is partitioned, of how an input or output is spread over the mesh.
public struct Placement: Hashable, Sendable {
  /// Whose wishes come first where two values would cut one computation differently.
  public enum Priority: Int, Hashable, Sendable, Comparable, CaseIterable {
    /// Samples: every computation on them follows.
    case data
    /// Weights: what the samples leave open follows.
    case weights
    /// Only where it is kept: computations follow where they are free to, such as an optimizer's update.
    case storage

    /// Data before weights before storage.
    public static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }
  }

  /// How it is spread. An input of which ranks hold terms is added up where it is wanted whole; an output is left in
  /// terms only where it comes as such (`Partitioning.outputTerms`).
  public let sharding: Sharding
  /// The rank of its wishes.
  public let priority: Priority
  /// Axes along which it is spread only to be kept; `sharding` names them last in a dimension.
  public let storage: Set<String>

  /// A placement of the given priority, but for `storage`, whose axes have the lowest.
  public init(_ sharding: Sharding, _ priority: Priority = .weights, storage: Set<String> = []) {
    self.sharding = sharding
    self.priority = priority
    self.storage = storage
  }

  /// The cuts that are followed once wishes down to `priority` are.
  func dimensions(downTo priority: Priority) -> [[String]] {
    sharding.dimensions.map { axes in
      Array(axes.prefix { (storage.contains($0) ? .storage : self.priority) <= priority })
    }
  }
}

/// How a graph is to be spread over a mesh.
public struct Partitioning: Hashable, Sendable {
  /// The mesh.
  public let mesh: Mesh
  /// For each input how it is spread; whole copies where `nil`, and for inputs beyond.
  public let inputs: [Placement?]
  /// For each output how it is to be spread; whole copies where `nil`, and for outputs beyond.
  public let outputs: [Placement?]
  /// The mesh axes along which named dimensions of values inside the graph are cut; those of samples under `samples`.
  public let names: [String: [String]]
  /// Reductions over one group of ranks are put together up to so many bytes; 0 leaves them apart.
  public let bucketBytes: Int

  /// A partitioning from all it says.
  public init(
    _ mesh: Mesh, inputs: [Placement?], outputs: [Placement?], names: [String: [String]] = [:],
    bucketBytes: Int = 4 << 20
  ) {
    self.mesh = mesh
    self.inputs = inputs
    self.outputs = outputs
    self.names = names
    self.bucketBytes = bucketBytes
  }

  func input(_ place: Int) -> Placement? { inputs.indices.contains(place) ? inputs[place] : nil }
  func output(_ place: Int) -> Placement? { outputs.indices.contains(place) ? outputs[place] : nil }
}
