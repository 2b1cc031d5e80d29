import Pando

/// Which parts of a model lie where: names of parameters' dimensions mapped to the axes of a mesh.
///
/// A model names the dimensions of its parameters (`["mlp", "embed"]`) and knows no more; a strategy says along which
/// mesh axis the dimensions of a name are cut. Samples are spread over the axes `data`, `fsdp` and `expert`: the ranks of
/// `expert` compute on other samples until each sends the others the tokens that are for their experts (Lepikhin et al.
/// 2020, "GShard", arXiv:2006.16668). What tensor parallelism leaves of the state may be cut once more over the ranks that compute on other samples, only to be kept:
/// ZeRO (Rajbhandari et al. 2020, "ZeRO: Memory optimizations toward training trillion parameter models"). Over `fsdp`
/// within a host and `data` across hosts, that is hybrid sharding.
public struct Strategy: Hashable, Sendable {
  /// What ZeRO cuts over the ranks of different samples.
  public enum Zero: Int, Hashable, Sendable, CaseIterable {
    /// Nothing: each rank has a whole copy.
    case off
    /// The optimizer's tensors.
    case optimizer
    /// Gradients too. In a step that is one program, a gradient's sum is cut as soon as it is there, so this is the
    /// same program as stage 1.
    case gradients
    /// Parameters too; each is gathered when it is used.
    case parameters
  }

  /// The mesh.
  public let mesh: Mesh
  /// The mesh axis along which dimensions of a name are cut.
  public let names: [String: String]
  /// What is cut only to be kept.
  public let zero: Zero

  /// Axes over which the samples of a batch are spread, outermost first.
  public static let sampleAxes = ["data", "fsdp", "expert"]
  /// Mesh axes of parameters' names unless others are given: the heads of attention and the hidden features of
  /// feed-forward layers, as in Megatron-LM (Shoeybi et al. 2019), and experts.
  public static let standardNames = ["heads": "tensor", "mlp": "tensor", "expert": "expert"]
  /// The axis along which the places of a text are cut, which no parameter has.
  public static let sequenceAxis = "sequence"

  /// A strategy from all it says.
  ///
  /// - Throws: `ShardingError` where a name is mapped to an axis that the mesh lacks, or to one of the samples'.
  public init(
    _ mesh: Mesh, zero: Zero = .off, names: [String: String] = Strategy.standardNames
  ) throws(ShardingError) {
    for (name, axis) in names.sorted(by: { $0.key < $1.key }) {
      guard axis != "data", axis != "fsdp", axis != Self.sequenceAxis else {
        throw ShardingError(
          "'\(name)' is to be cut along '\(axis)', over which samples or their places are spread; choose zero, or the "
            + "axis 'tensor'"
        )
      }
    }
    self.mesh = mesh
    self.zero = zero
    self.names = names.filter { mesh.size(of: $0.value) ?? 1 > 1 }
  }

  /// The samples' axes that the mesh has, outermost first.
  public var sampleAxes: [String] { Self.sampleAxes.filter { mesh.size(of: $0) ?? 1 > 1 } }

  /// Into how many parts a batch is cut.
  public var sampleParts: Int { mesh.parts(sampleAxes) }

  /// The axes over which state is cut to be kept: `fsdp` where there is one, `data` otherwise.
  public var storageAxes: [String] {
    guard zero != .off else { return [] }
    return mesh.size(of: "fsdp") ?? 1 > 1 ? ["fsdp"] : sampleAxes
  }

  /// The mesh axes of names that a model gives to dimensions of values inside of it.
  public var activationAxes: [String: [String]] {
    var axes = names.mapValues { [$0] }
    axes["samples"] = sampleAxes
    axes["time"] = mesh.size(of: Self.sequenceAxis) ?? 1 > 1 ? [Self.sequenceAxis] : []
    return axes
  }

  /// How a batch of samples is spread.
  ///
  /// - Parameter rank: how many dimensions it has; the first is the samples'.
  public func samples(rank: Int) -> Placement {
    Placement(Sharding([sampleAxes] + Array(repeating: [], count: rank - 1)), .data)
  }

  /// How a parameter is spread.
  ///
  /// - Throws: `ShardingError` where a size does not divide over the axis that its name is mapped to.
  public func placement(of parameter: NamedParameter) throws(ShardingError) -> Placement {
    let isKept = zero == .parameters && parameter.parameter.isTrainable
    return try placement(parameter, isCut: isKept)
  }

  /// How one of the optimizer's tensors for a parameter is spread.
  ///
  /// - Throws: as `placement(of:)`.
  public func placement(
    ofSlot type: TensorType, for parameter: NamedParameter
  ) throws(ShardingError) -> Placement {
    guard type.shape == parameter.parameter.type.shape else { return Placement(.replicated(type.rank)) }
    return try placement(parameter, isCut: zero != .off)
  }

  private func placement(_ parameter: NamedParameter, isCut: Bool) throws(ShardingError) -> Placement {
    let type = parameter.parameter.type
    var dimensions = [[String]](repeating: [], count: type.rank)
    for (dimension, name) in parameter.parameter.axes.enumerated() {
      guard let axis = name.flatMap({ names[$0] }), !dimensions.contains([axis]) else { continue }
      dimensions[dimension] = [axis]
      _ = try Sharding(dimensions).localType(of: type, on: mesh, name: parameter.name)
    }
    let used = dimensions.flatMap { $0 }
    let storage = isCut ? storageAxes.filter { !used.contains($0) } : []
    if !storage.isEmpty, let dimension = storageDimension(type, dimensions, storage) {
      dimensions[dimension] += storage
    }
    return Placement(Sharding(dimensions), .weights, storage: Set(storage))
  }

  /// The outermost dimension that divides; parts of an outer dimension lie in one piece. `nil` for what stays whole.
  private func storageDimension(_ type: TensorType, _ cut: [[String]], _ storage: [String]) -> Int? {
    type.shape.indices.first { dimension in
      type.shape[dimension] > 0 && type.shape[dimension].isMultiple(of: mesh.parts(cut[dimension] + storage))
    }
  }

  /// Checks that every axis that is not the samples' cuts some parameter.
  ///
  /// - Throws: `ShardingError` that names the axis, or the name that no parameter has and the nearest one.
  public func check(_ parameters: [NamedParameter]) throws(ShardingError) {
    let known = Set(parameters.flatMap { $0.parameter.axes.compactMap { $0 } })
    for (name, axis) in names.sorted(by: { $0.key < $1.key })
    where !known.contains(name) && Self.standardNames[name] != axis {
      let near = nearestName(to: name, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
      throw ShardingError(
        "no parameter has a dimension called '\(name)'\(near) There are: \(known.sorted().joined(separator: ", "))"
      )
    }
    let free = ["data", "fsdp", Self.sequenceAxis]
    for axis in mesh.axes where axis.size > 1 && !free.contains(axis.name) {
      let mapped = names.filter { $0.value == axis.name }.keys
      guard mapped.contains(where: known.contains) else {
        throw ShardingError(
          "no parameter of this model can be cut along '\(axis.name)': \(mapped.sorted().joined(separator: ", ")) "
            + "would be, and the parameters' dimensions are called \(known.sorted().joined(separator: ", ")); set the "
            + "axis to 1, or map another name to it")
      }
    }
  }
}

extension Strategy: CustomStringConvertible {
  /// `data=2 tensor=2, zero 0, heads and mlp along tensor`
  public var description: String {
    let mapped = names.sorted { $0.key < $1.key }.map { "\($0.key) along \($0.value)" }
    return (["\(mesh)", "zero \(zero.rawValue)"] + mapped).joined(separator: ", ")
  }
}
