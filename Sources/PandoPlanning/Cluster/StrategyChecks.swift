extension ParallelStrategy {
  /// Throws where it does not divide what it is to be spread over, with the nearest that does.
  func check(_ shape: GPTShape, batch: Int, on cluster: ClusterDescription) throws {
    func divides(_ name: String, _ value: Int, _ whole: Int, _ what: String) throws {
      guard value > 0, whole > 0, whole % value == 0 else {
        let near = (1...max(1, whole)).filter { whole > 0 && whole % $0 == 0 }
          .min { (abs($0 - value), $0) < (abs($1 - value), $1) }
        throw ClusterError(
          "strategy.\(name)",
          "\(value) does not divide \(what) (\(whole)); the nearest that does is \(near ?? 1)")
      }
    }
    guard shape.heads > 0, shape.width % shape.heads == 0 else {
      throw ClusterError("shape.heads", "\(shape.heads) does not divide the width (\(shape.width))")
    }
    try divides("tensor", tensor, shape.heads, "the attention heads")
    try divides("tensor", tensor, shape.vocabulary, "the vocabulary")
    try divides("pipeline", pipeline, shape.layers, "the layers")
    try divides("chunks", chunks, shape.layers / pipeline, "the layers of a stage")
    try divides("data", data, batch, "the batch")
    try divides("micro-batch", microBatch, batch / data, "the batch of a rank")
    if chunks > 1 {
      guard pipeline > 1 else { throw ClusterError("strategy.chunks", "there is no pipeline to interleave") }
      try divides(
        "pipeline", pipeline, batch / data / microBatch, "the micro-batches, which interleaving asks for")
    }
    guard ranks <= cluster.processors else {
      throw ClusterError(
        "strategy", "takes \(ranks) processors, and \(cluster.name) has \(cluster.processors)")
    }
  }
}

/// Finds how a model is best spread over so many ranks.
public enum StrategySearch {
  /// The forecast with the lowest price (or, which with one kind of processor is the same, the shortest step) of those
  /// that fit into memory.
  ///
  /// - Parameters:
  ///   - overlap: which exchanges the program hides, which is its own and not to be searched for.
  ///   - fixed: narrows the search: what it returns `false` for is left out.
  /// - Throws: `ClusterError` where none fits, with the least memory that would do.
  public static func best(
    _ shape: GPTShape, batch: Int, ranks: Int, on cluster: ClusterDescription,
    overlap: ParallelStrategy.Overlap = .nothing, where fixed: (ParallelStrategy) -> Bool = { _ in true }
  ) throws -> ClusterForecast {
    var costs: [(seconds: Double, strategy: ParallelStrategy)] = []
    var least = Double.infinity
    for var strategy in candidates(shape, batch: batch, ranks: ranks, on: cluster) {
      strategy.overlap = overlap
      guard fixed(strategy) else { continue }
      guard (try? strategy.check(shape, batch: batch, on: cluster)) != nil else { continue }
      let cost = StrategyCost(shape, batch: batch, strategy, on: cluster)
      let bytes = cost.memoryBytes
      least = min(least, bytes)
      if bytes <= cluster.processor.memory { costs.append((cost.roughSeconds, strategy)) }
    }
    // The rough figure leaves few for the simulation.
    let simulated = try costs.sorted { $0.seconds < $1.seconds }.prefix(8).map {
      try ClusterForecast(shape, batch: batch, $0.strategy, on: cluster)
    }
    if let best = simulated.min(by: { $0.stepSeconds < $1.stepSeconds }) { return best }
    guard least.isFinite else {
      throw ClusterError(
        "strategy", "no way of spreading divides the model and a batch of \(batch) over \(ranks) ranks")
    }
    throw ClusterError(
      "cluster.processor.memory",
      "no strategy fits into \(Int(cluster.processor.memory)) bytes; the smallest needs \(Int(least))")
  }

  private static func candidates(
    _ shape: GPTShape, batch: Int, ranks: Int, on cluster: ClusterDescription
  ) -> [ParallelStrategy] {
    func divisors(_ number: Int) -> [Int] { number > 0 ? (1...number).filter { number % $0 == 0 } : [] }
    var found: [ParallelStrategy] = []
    for tensor in divisors(ranks) where tensor <= cluster.processorsPerNode && shape.heads % tensor == 0 {
      for pipeline in divisors(ranks / tensor) where shape.layers % pipeline == 0 {
        let data = ranks / tensor / pipeline
        guard batch % data == 0 else { continue }
        let chunkings = pipeline == 1 ? [1] : divisors(shape.layers / pipeline)
        for microBatch in divisors(batch / data) where microBatch <= 64 {
          for chunks in chunkings {
            for sharding in ParallelStrategy.Sharding.allCases where data > 1 || sharding == .none {
              for recomputes in [false, true] {
                found.append(
                  ParallelStrategy(
                    data: data, tensor: tensor, pipeline: pipeline, microBatch: microBatch, chunks: chunks,
                    sharding: sharding, recomputes: recomputes))
              }
            }
          }
        }
      }
    }
    return found
  }
}
