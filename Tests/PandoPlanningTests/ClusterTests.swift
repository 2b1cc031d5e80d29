import PandoPlanning
import Testing

/// Clusters, strategies and their times, against published formulas and sums by hand.
@Suite struct ClusterTests {
  private let cluster = ClusterDescription(
    name: "toy",
    processor: ClusterDescription.Processor(
      peakFlops: 1e12, memory: 1e12, memoryBandwidth: 1e11, units: 1, watts: 10, pricePerHour: 3600),
    processorsPerNode: 4, processors: 16,
    inside: ClusterDescription.Link(bandwidth: 1e9, latency: 1e-3),
    between: ClusterDescription.Link(bandwidth: 1e8, latency: 1e-2))
  private let shape = GPTShape(layers: 8, width: 256, heads: 4, context: 128, vocabulary: 512)

  /// 34·s·b·h + 5·a·s²·b (Korthikanti et al. 2022), whole and on eight ranks.
  @Test func activationsOfALayer() {
    let gpt3 = GPTShape(layers: 96, width: 12288, heads: 96, context: 2048, vocabulary: 51200)
    let (s, h, a) = (2048.0, 12288.0, 96.0)
    #expect(gpt3.layerActivationBytes(batch: 2) == 34 * s * 2 * h + 5 * a * s * s * 2)
    #expect(gpt3.layerActivationBytes(batch: 1, tensor: 8) == s * h * 13 + 5 * a * s * s / 8)
  }

  /// Figure 1 of Rajbhandari et al. 2020: 7.5 billion parameters on 64 ranks take 120, 31.4, 16.6 and 1.9 GB.
  @Test func stateByZeROStage() {
    for (sharding, gigabytes) in zip(ParallelStrategy.Sharding.allCases, [120, 31.4, 16.6, 1.9]) {
      let bytes = ParallelStrategy(data: 64, sharding: sharding).stateBytes(parameters: 7.5e9)
      #expect(abs(bytes / 1e9 - gigabytes) < 0.05)
    }
  }

  /// Rings: 2·(p − 1)·α + 2·(p − 1)/p·bytes/β.
  @Test func exchangesByHand() {
    #expect(cluster.allReduceSeconds(bytes: 1e9, size: 1) == 0)
    #expect(abs(cluster.allReduceSeconds(bytes: 1e9, size: 4) - (6e-3 + 1.5)) < 1e-9)
    // Four neighbours in each of two nodes share four links; with one in each node there is one.
    let nodes = 2 * (1e-2 + 3e-3 + 7.0 / 8 * 1e9 / 4e8)
    #expect(abs(cluster.allReduceSeconds(bytes: 1e9, size: 8) - nodes) < 1e-9)
    #expect(abs(cluster.allReduceSeconds(bytes: 1e9, size: 2, stride: 4) - (2e-2 + 10)) < 1e-9)
  }

  /// The bubble is (p − 1)/m of the work, and interleaving divides it by the chunks (Narayanan et al. 2021).
  @Test func bubblesShrinkWithChunks() throws {
    var free = cluster
    free.inside = ClusterDescription.Link(bandwidth: 1e17, latency: 0)
    free.between = free.inside
    // A vocabulary this small leaves the last stage no more work than the others.
    let even = GPTShape(layers: 8, width: 256, heads: 4, context: 128, vocabulary: 1)
    func seconds(_ pipeline: Int, _ chunks: Int) throws -> Double {
      try ClusterForecast(
        even, batch: 8, ParallelStrategy(pipeline: pipeline, chunks: chunks), on: free
      ).pipelineSeconds
    }
    let work = try seconds(1, 1) / 4
    #expect(abs(try seconds(4, 1) / work - (1 + 3.0 / 8)) < 0.02)
    #expect(abs(try seconds(4, 2) / work - (1 + 3.0 / 16)) < 0.02)
  }

  @Test func theSearchFitsTheMemoryOrSaysWhatWould() throws {
    let best = try StrategySearch.best(shape, batch: 16, ranks: 8, on: cluster)
    #expect(best.strategy.ranks == 8 && best.fits)
    let plain = try ClusterForecast(shape, batch: 16, ParallelStrategy(data: 8), on: cluster)
    #expect(best.stepSeconds <= plain.stepSeconds)
    #expect(plain.joulesPerStep == 80 * plain.stepSeconds && plain.pricePerStep == 8 * plain.stepSeconds)
    var small = cluster
    small.processor.memory = 1000
    #expect(throws: ClusterError.self) { try StrategySearch.best(shape, batch: 16, ranks: 8, on: small) }
    let odd = #expect(throws: ClusterError.self) {
      try ClusterForecast(shape, batch: 16, ParallelStrategy(tensor: 3), on: cluster)
    }
    #expect(odd?.description.contains("nearest that does is 2") == true)
  }

  @Test func clusterFilesAreStrict() throws {
    let text = """
      name: toy
      processors: 16
      processors-per-node: 4
      processor: {peak-flops: 1e12, memory: 1e12, memory-bandwidth: 1e11, units: 1, watts: 10, price-per-hour: 3600}
      inside: {bandwidth: 1e9, latency: 1e-3}
      between: {bandwidth: 1e8, latency: 1e-2}
      """
    #expect(try ClusterFile.parse(text) == cluster)
    for (old, new, word) in [
      ("watts: 10", "wats: 10", "did you mean 'watts'"), ("memory: 1e12", "memory: -1", "processor.memory"),
      ("units: 1", "units: 1.5", "processor.units"), ("latency: 1e-2", "latency: fast", "between.latency"),
      ("bandwidth: 1e9, ", "", "inside.bandwidth"), ("processors: 16", "processors: 0", "processors"),
    ] {
      let error = #expect(throws: ClusterError.self) { try ClusterFile.parse(text.replacing(old, with: new)) }
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
  }
}
