import Pando

/// How tensors that go from stage to stage are spread over the ranks of a stage: by one rule, so that both sides agree.
struct StagePlacement {
  private let parallelism: Parallelism

  init(_ parallelism: Parallelism) { self.parallelism = parallelism }

  /// By samples, which are outermost, where they divide.
  func samples(_ type: TensorType) -> Placement? {
    guard let outer = type.shape.first, outer.isMultiple(of: parallelism.strategy.sampleParts) else {
      return nil
    }
    return parallelism.strategy.samples(rank: type.rank)
  }

  /// What one rank has of a tensor.
  func local(_ type: TensorType, _ placement: Placement?) throws -> TensorType {
    try placement?.sharding.localType(of: type, on: parallelism.group.mesh) ?? type
  }

  /// How a graph makes its outputs.
  func homes(of graph: Graph, inputs: [Placement?]) throws -> [Placement] {
    try Partitioning(parallelism.group.mesh, inputs: inputs, outputs: []).outputHomes(of: graph)
  }
}

/// How what the passes of one group of layers read and write is spread over the ranks of a stage.
struct PassPlacements {
  /// Of the part's inputs, what arrives, and what leaves.
  let inputs: [Placement?], arriving: [Placement?], leaving: [Placement?]
  /// For each output of the whole that is made here the statistic that it is the new value of; `nil` for the loss.
  let own: [TrainingState.Entry?]
  /// Of the forward pass's outputs; the last, from `firstKept` on, are what the backward pass reads again.
  let outputs: [Placement?]
  private let passes: PartPasses

  init(
    _ part: PipelinePart, _ passes: PartPasses, _ whole: WholePass, _ state: TrainingState,
    _ parallelism: Parallelism
  ) throws {
    let placed = StagePlacement(parallelism)
    self.passes = passes
    inputs = part.inputs.map { place -> Placement? in
      if place < state.weights.count { return state.weights[place].placement }
      let isBatch = place == whole.batch || place == whole.target
      return isBatch ? placed.samples(whole.graph.inputs[place].value.type) : nil
    }
    arriving = part.arriving.map(placed.samples)
    leaving = part.leaving.map(placed.samples)
    own = part.outputs.map { place in
      place < whole.totals ? nil : state.weights[whole.statistics[place - whole.totals]]
    }
    // What is kept stays cut as the forward pass makes it.
    let homes = try placed.homes(of: passes.forward, inputs: inputs + arriving)
    outputs = leaving + own.map { $0?.placement } + homes[(leaving.count + own.count)...].map { $0 }
  }

  /// The place of the first value that is kept.
  var firstKept: Int { leaving.count + own.count }
  /// Of the gradients of what leaves, and of what arrived.
  var gradients: [Placement?] { passes.gradients.map { leaving[$0] } }
  var answers: [Placement?] { passes.answers.map { arriving[$0] } }
  /// The place of the first sum among the inputs of the backward pass.
  var firstSum: Int { inputs.count + arriving.count + gradients.count + (passes.hasLoss ? 1 : 0) }

  /// Of the inputs of the backward pass.
  func backwardInputs(_ sums: [Placement?]) -> [Placement?] {
    inputs + arriving + gradients + (passes.hasLoss ? [nil] : []) + sums + passes.kept.map { outputs[$0] }
  }

  /// For each sum of gradients the axes along which ranks may go on adding up their own terms, and exchange none of them
  /// before the end of the step.
  func openAxes(_ sums: [Placement?], on mesh: Mesh) throws -> [[String]] {
    let terms = sums.map { sum in
      sum.map { $0.withTerms(along: mesh.axes.map(\.name).filter { mesh.size(of: $0)! > 1 }) }
    }
    let partitioning = Partitioning(mesh, inputs: backwardInputs(terms), outputs: sums + answers)
    return Array(try partitioning.outputTerms(of: passes.backward).prefix(sums.count))
  }
}

extension Placement {
  /// The same with terms along those of `axes` that cut nothing.
  func withTerms(along axes: [String]) -> Placement {
    let cuts = sharding.axes
    return Placement(
      Sharding(sharding.dimensions, partial: axes.filter { !cuts.contains($0) }), priority, storage: storage)
  }
}
