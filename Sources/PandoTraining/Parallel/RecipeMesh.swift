import Pando
import PandoNN

extension Recipe {
  /// Mesh axes that a run can be spread over.
  static let meshAxes = ["data", "fsdp", "tensor", "expert", "sequence", "pipeline"]

  /// Whether a step is one program spread over ranks, rather than the same program on every rank.
  package var isSpread: Bool {
    parallel.axes.contains { $0.size > 1 && $0.name != "data" } || (parallel.zero ?? 0) > 0
  }

  /// The mesh of a run on `ranks` ranks: the recipe's axes, and `data` over what they leave.
  ///
  /// - Throws: `RecipeError` where an axis is unknown or the axes do not fit the ranks.
  package func mesh(ranks: Int) throws -> Mesh {
    for axis in parallel.axes where !Self.meshAxes.contains(axis.name) {
      let near = nearestName(to: axis.name, among: Self.meshAxes).map { "; did you mean '\($0)'?" } ?? ""
      throw RecipeError(
        keyPath: "parallel.axes.\(axis.name)",
        message:
          "no mesh axis is called '\(axis.name)'\(near) There are: \(Self.meshAxes.joined(separator: ", "))")
    }
    try requirePlainStages()
    var axes = parallel.axes
    let product = axes.reduce(1) { $0.multipliedReportingOverflow(by: $1.size).partialValue }
    let text = axes.map { "\($0.name): \($0.size)" }.joined(separator: ", ")
    if axes.contains(where: { $0.name == "data" }) {
      guard product == ranks else {
        throw RecipeError(
          keyPath: axes.count == 1 ? "parallel.axes.data" : "parallel.axes",
          message:
            "{\(text)} does not fit \(ranks) rank\(ranks == 1 ? "" : "s"); start as many with --ranks \(product), or "
            + "leave data out, which then takes what the others leave")
      }
    } else {
      guard product > 0, ranks.isMultiple(of: product) else {
        let more = product > 0 ? (ranks / product + 1) * product : 1
        throw RecipeError(
          keyPath: "parallel.axes",
          message:
            "{\(text)} takes a multiple of \(product) ranks, there \(ranks == 1 ? "is 1" : "are \(ranks)"); start with "
            + "--ranks \(more), or change the axes")
      }
      axes.insert(Axis(name: "data", size: ranks / product), at: 0)
    }
    do { return try Mesh(axes: axes.map { Mesh.Axis(name: $0.name, size: $0.size) }) } catch {
      throw RecipeError(keyPath: "parallel.axes", message: error.description)
    }
  }

  /// Stages of a pipeline hand on what one rank of each has: neither experts nor places of a text may be spread there.
  private func requirePlainStages() throws {
    func size(_ name: String) -> Int { parallel.axes.first { $0.name == name }?.size ?? 1 }
    guard size("pipeline") > 1 else { return }
    for name in ["expert", "sequence"] where size(name) > 1 {
      throw RecipeError(
        keyPath: "parallel.axes.\(name)",
        message: "does not go with pipeline, which goes with data, fsdp and tensor; leave out one of the two")
    }
    if case .gpt(let gpt) = model, gpt.experts != nil {
      throw RecipeError(
        keyPath: "parallel.axes.pipeline",
        message:
          "does not go with model.experts, whose losses belong to all stages; spread over expert instead")
    }
  }

  /// How a run on this mesh spreads its parameters, by `parallel.zero` and `parallel.names`.
  ///
  /// - Throws: `RecipeError` where an axis or name is none of the model's, or a size does not divide.
  func strategy(_ mesh: Mesh, _ parameters: [NamedParameter]) throws -> Strategy {
    let stage = parallel.zero ?? (mesh.size(of: "fsdp") ?? 1 > 1 ? 3 : 0)
    var names = Strategy.standardNames
    if !parallel.names.isEmpty {
      names = Dictionary(parallel.names.map { ($0.name, $0.axis) }, uniquingKeysWith: { $1 })
      names["expert"] = names["expert"] ?? Strategy.standardNames["expert"]
    }
    // Stages hold layers, not parts of a dimension.
    let axes = Self.meshAxes.filter { $0 != "pipeline" }
    for (name, axis) in names where !axes.contains(axis) {
      let near = nearestName(to: axis, among: axes).map { "; did you mean '\($0)'?" } ?? ""
      throw RecipeError(
        keyPath: "parallel.names.\(name)",
        message: "no mesh axis that dimensions are cut along is called '\(axis)'\(near)"
      )
    }
    do {
      let strategy = try Strategy(mesh, zero: Strategy.Zero(rawValue: stage)!, names: names)
      try strategy.check(parameters)
      for parameter in parameters { _ = try strategy.placement(of: parameter) }
      return strategy
    } catch {
      throw RecipeError(keyPath: "parallel", message: error.description)
    }
  }

  /// Refuses what a spread step does not do.
  func checkSpread(_ mesh: Mesh, _ strategy: Strategy) throws {
    guard !reproducible else {
      throw RecipeError(
        keyPath: "reproducible",
        message:
          "needs the same sums on any mesh, so samples alone can be spread; set it to false, or use data alone"
      )
    }
    guard !parallel.changesTraining else {
      throw RecipeError(
        keyPath: "parallel",
        message:
          "'gradients' and 'local' are for ranks that spread samples alone; remove them, or the other axes")
    }
    guard train.accumulate == 1 else {
      throw RecipeError(
        keyPath: "train.accumulate",
        message: "a step over \(mesh) takes one batch; set it to 1, and data.batch to the samples of a step")
    }
    if let places = mesh.size(of: Strategy.sequenceAxis), places > 1 {
      let path = "parallel.axes.\(Strategy.sequenceAxis)"
      guard let context = data.context else {
        throw RecipeError(keyPath: path, message: "cuts texts, and this model reads none; set it to 1")
      }
      guard context.isMultiple(of: places) else {
        throw RecipeError(
          keyPath: path,
          message:
            "\(context) tokens (data.context) do not divide over \(places) ranks; choose a divisor, or "
            + "data.context \((context / places + 1) * places)")
      }
    }
    let parts = strategy.sampleParts
    guard data.batch.isMultiple(of: parts) else {
      let below = data.batch / parts * parts
      throw RecipeError(
        keyPath: "data.batch",
        message:
          "\(data.batch) samples do not divide over \(strategy.sampleAxes.joined(separator: " × ")) = \(parts); the "
          + "nearest that do are \(below > 0 ? "\(below) and " : "")\(below + parts)")
    }
  }
}
