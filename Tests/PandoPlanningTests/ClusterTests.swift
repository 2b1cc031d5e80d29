import Foundation
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

  /// A layer's exchange hides behind the products for the gradients of weights, here both 2·128·256·256 operations in
  /// four tiles of 128×128 that one unit takes in turns.
  @Test func exchangesHideBehindProducts() throws {
    func seconds(_ overlap: ParallelStrategy.Overlap) throws -> Double {
      try ClusterForecast(
        shape, batch: 1, ParallelStrategy(tensor: 4, recomputes: false, overlap: overlap), on: cluster
      ).pipelineSeconds
    }
    let product = 2.0 * 128 * 256 * 256 / 1e12
    #expect(abs(try seconds(.nothing) - seconds(.everything) - 8 * 2 * product) < 1e-9)
    #expect(try seconds(.nothing) == seconds(.gradients))
  }

  /// What the backward pass, which is more than half of the work, hides of the gradients' exchange.
  @Test func gradientsHideBehindTheBackwardPass() throws {
    func forecast(_ overlap: ParallelStrategy.Overlap, _ latency: Double) throws -> ClusterForecast {
      var slow = cluster
      slow.between.latency = latency
      return try ClusterForecast(
        shape, batch: 8, ParallelStrategy(data: 8, recomputes: false, overlap: overlap), on: slow)
    }
    let plain = try forecast(.nothing, 1)
    let hidden = try plain.exchangeSeconds - forecast(.gradients, 1).exchangeSeconds
    #expect(hidden > plain.pipelineSeconds / 2 && hidden < plain.pipelineSeconds)
    var fast = cluster
    fast.inside = ClusterDescription.Link(bandwidth: 1e17, latency: 0)
    fast.between = fast.inside
    let all = try ClusterForecast(shape, batch: 8, ParallelStrategy(data: 8, overlap: .gradients), on: fast)
    #expect(all.exchangeSeconds == 0)
  }

  /// Every micro-batch but the first adds its gradients to those before: two numbers read and one written, of 16 bits.
  @Test func gradientsAreAddedUp() throws {
    func seconds(_ batch: Int) throws -> Double {
      try ClusterForecast(shape, batch: batch, ParallelStrategy(), on: cluster).pipelineSeconds
    }
    let added = 8 * shape.layerParameters + Double(shape.vocabulary * shape.width)
    #expect(abs(try seconds(3) - 3 * seconds(1) - 2 * 6 * added / 1e11) < 1e-9)
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Benchmarks/megatron")

  /// Table 4 of Korthikanti et al. 2022, a layer of the 22B model on eight A100: 7.7 ms forwards, 11.9 ms backwards. The
  /// one figure taken from it makes their sum right; how it divides is the model's own.
  @Test func aPublishedLayer() throws {
    let selene = try ClusterFile.load(Self.folder.appending(path: "selene.yaml").path)
    func seconds(_ layers: Int, _ recomputes: Bool) throws -> Double {
      try ClusterForecast(
        GPTShape(layers: layers, width: 6144, heads: 64, context: 2048, vocabulary: 51200), batch: 4,
        ParallelStrategy(tensor: 8, microBatch: 4, recomputes: recomputes, overlap: .everything), on: selene
      ).pipelineSeconds
    }
    let both = try seconds(2, false) - seconds(1, false)
    let forward = try seconds(2, true) - seconds(1, true) - both
    #expect(abs(both - 19.6e-3) < 0.05e-3)
    #expect(abs(forward / 7.7e-3 - 1) < 0.03 && abs((both - forward) / 11.9e-3 - 1) < 0.03)
  }

  /// Table 1 of Narayanan et al. 2021, of which nothing is fitted.
  @Test func publishedThroughputs() throws {
    let selene = try ClusterFile.load(Self.folder.appending(path: "selene.yaml").path)
    let text = try String(contentsOf: Self.folder.appending(path: "table1.csv"), encoding: .utf8)
    let rows = text.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",").compactMap { Double($0) }
    }
    #expect(rows.count == 10)
    var sum = 0.0
    for row in rows {
      let sizes = row.map { Int($0) }
      let shape = GPTShape(
        layers: sizes[3], width: sizes[2], heads: sizes[1], context: 2048, vocabulary: 51200)
      #expect(abs(shape.parameters / 1e9 - row[0]) < 0.06)
      let strategy = ParallelStrategy(
        data: sizes[6] / sizes[4] / sizes[5], tensor: sizes[4], pipeline: sizes[5], microBatch: sizes[8],
        chunks: sizes[9], overlap: try #require(ParallelStrategy.Overlap(rawValue: sizes[10])))
      let forecast = try ClusterForecast(shape, batch: sizes[7], strategy, on: selene)
      let error = forecast.flopsPerProcessor / (row[11] * 1e12) - 1
      #expect(abs(error) < 0.12, "\(row[0])B")
      sum += abs(error)
    }
    #expect(sum / 10 < 0.06)
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
