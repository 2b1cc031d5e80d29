import Pando

extension Recipe {
  /// How the stages along the mesh axis `pipeline` work together.
  public struct Pipeline: Hashable, Sendable {
    /// The order of forward and backward passes.
    public var schedule = PipelineSchedule.oneForwardOneBackward
    /// Parts of a batch; absent means the most up to four for each stage.
    public var microBatches: Int?
    /// Groups of layers of each stage.
    public var chunks = 1

    /// One forward, one backward.
    public init() {}
  }

  /// The order of passes of a run in `stages` stages whose samples are spread over `sampleParts` groups of ranks.
  ///
  /// - Throws: `RecipeError` where the micro-batches do not divide the batch, or do not go round the stages.
  func pipelineOrder(stages: Int, sampleParts: Int) throws -> PipelineOrder {
    let chunks = parallel.pipeline.chunks
    let whole = max(1, data.batch / sampleParts)
    let fits = { whole.isMultiple(of: $0) && (chunks == 1 || $0.isMultiple(of: stages)) }
    let possible = (1...whole).filter(fits)
    guard let asked = parallel.pipeline.microBatches else {
      guard let most = possible.last(where: { $0 <= 4 * stages }) ?? possible.first else {
        throw microBatchError(nil, stages, sampleParts, possible)
      }
      return PipelineOrder(
        stages: stages, chunks: chunks, microBatches: most, schedule: parallel.pipeline.schedule)
    }
    guard asked <= whole, fits(asked) else { throw microBatchError(asked, stages, sampleParts, possible) }
    return PipelineOrder(
      stages: stages, chunks: chunks, microBatches: asked, schedule: parallel.pipeline.schedule)
  }

  private func microBatchError(
    _ asked: Int?, _ stages: Int, _ sampleParts: Int, _ possible: [Int]
  ) -> RecipeError {
    let round = parallel.pipeline.chunks > 1 ? " and are a multiple of the \(stages) stages" : ""
    var nearest: [Int] = []
    if let asked {
      if let below = possible.last(where: { $0 < asked }) { nearest.append(below) }
      if let above = possible.first(where: { $0 > asked }) { nearest.append(above) }
    }
    let mend =
      nearest.isEmpty
      ? "change data.batch, or set parallel.pipeline.chunks to 1"
      : "the nearest that do are \(nearest.map(String.init).joined(separator: " and "))"
    let parts = sampleParts > 1 ? " over \(sampleParts) groups of ranks" : ""
    return RecipeError(
      keyPath: "parallel.pipeline.micro-batches",
      message:
        "\(asked.map(String.init) ?? "no number of") micro-batches must divide data.batch (\(data.batch)\(parts))\(round); "
        + mend)
  }
}

extension Recipe.Pipeline {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .key(
        "schedule", \.schedule, .choice(),
        "The order of passes: `gpipe` does all forward passes first, `1f1b` one forward and one backward in turn, which "
          + "keeps the activations of fewer micro-batches."),
      .optional(
        "micro-batches", \.microBatches, .integer(1...(1 << 20)),
        "Parts of a batch, which are in different stages at the same time. A divisor of `data.batch`. If absent, the "
          + "largest up to four for each stage."),
      .key(
        "chunks", \.chunks, .integer(1...1024),
        "Groups of layers of each stage; several make the bubble smaller, and send more (interleaved schedules)."
      ),
    ])
}
