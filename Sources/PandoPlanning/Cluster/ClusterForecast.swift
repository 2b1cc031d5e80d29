import PandoTransforms

/// What is wrong with a cluster, a strategy or a shape, and how it may be mended.
public struct ClusterError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The place and the mend.
  public let description: String
  /// An error that names its place.
  public init(_ place: String, _ message: String) { description = "\(place): \(message)" }
}

/// What a step of a transformer takes on a cluster that nobody needs to have.
public struct ClusterForecast: Hashable, Sendable, Codable {
  /// How it is spread.
  public let strategy: ParallelStrategy
  /// Seconds of a step: in the pipeline, in the exchange of gradients, in the update.
  public let stepSeconds: Double, pipelineSeconds: Double, exchangeSeconds: Double, updateSeconds: Double
  /// Operations of a step, with those that are done again, and how many of them each processor does each second.
  public let flopsPerStep: Double, flopsPerProcessor: Double
  /// Bytes that the fullest processor needs, and how many it has.
  public let memoryBytes: Double, memoryLimitBytes: Double
  /// What a step costs, in the cluster's currency, and what energy it takes; 0 where the cluster does not say.
  public let pricePerStep: Double, joulesPerStep: Double

  enum CodingKeys: String, CodingKey {
    case strategy
    case stepSeconds = "step_seconds"
    case pipelineSeconds = "pipeline_seconds"
    case exchangeSeconds = "exchange_seconds"
    case updateSeconds = "update_seconds"
    case flopsPerStep = "flops_per_step"
    case flopsPerProcessor = "flops_per_processor"
    case memoryBytes = "peak_memory_bytes"
    case memoryLimitBytes = "memory_limit_bytes"
    case pricePerStep = "price_per_step"
    case joulesPerStep = "joules_per_step"
  }

  /// Whether every processor has the memory that it needs.
  public var fits: Bool { memoryBytes <= memoryLimitBytes }

  /// Simulates a step.
  ///
  /// - Parameter batch: sequences of a step, over all ranks.
  /// - Throws: `ClusterError` where the strategy does not divide the model, the batch or the cluster.
  public init(
    _ shape: GPTShape, batch: Int, _ strategy: ParallelStrategy, on cluster: ClusterDescription
  ) throws {
    try strategy.check(shape, batch: batch, on: cluster)
    let cost = StrategyCost(shape, batch: batch, strategy, on: cluster)
    self.init(cost, pipelineSeconds: cost.simulatedPipelineSeconds)
  }

  private init(_ cost: StrategyCost, pipelineSeconds: Double) {
    let ranks = Double(cost.strategy.ranks)
    strategy = cost.strategy
    self.pipelineSeconds = pipelineSeconds
    exchangeSeconds = cost.exchangeSeconds
    updateSeconds = cost.updateSeconds
    stepSeconds = pipelineSeconds + exchangeSeconds + updateSeconds
    flopsPerStep = cost.shape.flopsPerStep(batch: cost.batch, recomputes: cost.strategy.recomputes)
    flopsPerProcessor = flopsPerStep / stepSeconds / ranks
    memoryBytes = cost.memoryBytes
    memoryLimitBytes = cost.cluster.processor.memory
    pricePerStep = ranks * cost.cluster.processor.pricePerHour * stepSeconds / 3600
    joulesPerStep = ranks * cost.cluster.processor.watts * stepSeconds
  }
}

/// The parts of a strategy's time and memory.
struct StrategyCost {
  let shape: GPTShape
  let batch: Int
  let strategy: ParallelStrategy
  let cluster: ClusterDescription
  private let layer: LayerTime

  init(_ shape: GPTShape, batch: Int, _ strategy: ParallelStrategy, on cluster: ClusterDescription) {
    (self.shape, self.batch, self.strategy, self.cluster) = (shape, batch, strategy, cluster)
    layer = LayerTime(
      shape, microBatch: strategy.microBatch, tensor: strategy.tensor,
      overlaps: strategy.overlap == .everything, on: cluster)
  }

  private var microBatches: Int { batch / (strategy.data * strategy.microBatch) }
  private var layersPerChunk: Double { Double(shape.layers / (strategy.pipeline * strategy.chunks)) }
  private var rows: Int { shape.context * strategy.microBatch }

  /// Seconds of the last product, onto the vocabulary, and of the loss: forwards, and backwards.
  private var head: (forward: Double, backward: Double) {
    let (processor, part) = (cluster.processor, shape.vocabulary / strategy.tensor)
    let product = processor.productSeconds(rows, part, shape.width)
    // The loss in 32 bits, a kernel for each step as in Megatron-LM: the cast (6 bytes), the largest (4), the difference
    // (8), the exponential (8), their sum (4) and the quotient (8); then the gradient (8) and its cast (6).
    let scores = Double(rows) * Double(part)
    let products =
      processor.productSeconds(rows, shape.width, part) + processor.productSeconds(part, shape.width, rows)
    let exchange = cluster.allReduceSeconds(
      bytes: shape.layerInputBytes(batch: strategy.microBatch), size: strategy.tensor)
    return (
      product + processor.sweepSeconds(bytes: scores * 38),
      products + processor.sweepSeconds(bytes: scores * 14) + exchange
        + accumulationSeconds(Double(shape.vocabulary * shape.width))
    )
  }

  /// Seconds in which the gradients of `parameters`, spread over the ranks that share a layer, are added to those of the
  /// micro-batches before: two numbers of 16 bits are read and one is written, except for the first.
  private func accumulationSeconds(_ parameters: Double) -> Double {
    let share = Double(microBatches - 1) / Double(microBatches) / Double(strategy.tensor)
    return cluster.processor.sweepSeconds(bytes: 6 * parameters * share)
  }

  /// Seconds in which activations go from one stage to the next: each of the ranks that share a layer sends a part,
  /// and the receivers put it together (Narayanan et al. 2021, section 4.1).
  private var sendSeconds: Double {
    guard strategy.pipeline > 1 else { return 0 }
    let bytes = shape.layerInputBytes(batch: strategy.microBatch)
    return cluster.sendSeconds(
      bytes: bytes / Double(strategy.tensor), stride: strategy.tensor * strategy.data)
      + cluster.reduceScatterSeconds(bytes: bytes, size: strategy.tensor)
  }

  /// Weights that come from the other ranks for each pass, where they are kept in parts.
  private var gatherSeconds: Double {
    guard strategy.sharding == .weights else { return 0 }
    return cluster.reduceScatterSeconds(
      bytes: 2 * shape.layerParameters / Double(strategy.tensor), size: strategy.data, stride: strategy.tensor
    )
  }

  private func passSeconds(_ stage: Int, _ chunk: Int) -> (forward: Double, backward: Double) {
    let isLast = stage == strategy.pipeline - 1 && chunk == strategy.chunks - 1
    let head = isLast ? head : (0, 0)
    let forward = layersPerChunk * max(layer.forward, gatherSeconds)
    let again = strategy.recomputes ? layer.forward : 0
    let own = layer.backward + again + accumulationSeconds(shape.layerParameters)
    return (forward + head.0, layersPerChunk * max(own, 2 * gatherSeconds) + head.1)
  }

  /// Seconds of all micro-batches, event by event.
  var simulatedPipelineSeconds: Double {
    var times: [(forward: Double, backward: Double)] = []
    for chunk in 0..<strategy.chunks {
      for stage in 0..<strategy.pipeline { times.append(passSeconds(stage, chunk)) }
    }
    let stages = strategy.pipeline
    return PipelineSimulation(
      PipelineOrder(stages: stages, chunks: strategy.chunks, microBatches: microBatches),
      forward: { times[$1 * stages + $0].forward }, backward: { times[$1 * stages + $0].backward },
      send: sendSeconds
    ).run()
  }

  /// About the same without the events: the busiest stage's work, and the bubble.
  var roughSeconds: Double {
    let (last, first) = (passSeconds(strategy.pipeline - 1, strategy.chunks - 1), passSeconds(0, 0))
    let each = Double(strategy.chunks - 1) * (first.0 + first.1) + last.0 + last.1
    let sends = strategy.pipeline > 1 ? 4 * sendSeconds * Double(strategy.chunks) : 0
    let bubble = Double(strategy.pipeline - 1) * (first.0 + first.1 + 2 * sendSeconds)
    return Double(microBatches) * (each + sends) + bubble + exchangeSeconds + updateSeconds
  }

  /// Weights that the fullest rank is responsible for.
  private var parametersPerRank: Double {
    let layers = Double(shape.layers) / Double(strategy.pipeline)
    return (layers * shape.layerParameters + shape.embeddingParameters) / Double(strategy.tensor)
  }

  /// Seconds in which gradients of 16 bits go around after the last pass, or what is left of them where that pass hides
  /// them; and in which those of the tokens go between the first and the last stage, which share them.
  var exchangeSeconds: Double {
    let bytes = 2 * parametersPerRank
    let shared =
      strategy.pipeline > 1
      ? cluster.allReduceSeconds(
        bytes: 2 * Double(shape.vocabulary * shape.width) / Double(strategy.tensor), size: 2,
        stride: strategy.tensor * strategy.data) : 0
    let around = cluster.allReduceSeconds(bytes: bytes, size: strategy.data, stride: strategy.tensor)
    let beside =
      strategy.overlap == .nothing
      ? 0 : (0..<strategy.chunks).reduce(0) { $0 + passSeconds(0, $1).backward }
    return max(0, around - beside) + shared
  }

  /// Seconds of Adam's update with the sweeps of Megatron-LM, 66 bytes for each weight: its gradient is divided by the
  /// ranks (4), widened (6), unscaled and looked through for overflow (8), its norm taken (4), clipped (8) and later
  /// cleared (2); Adam reads four tensors of 32 bits and writes three (28); the weights are narrowed (6).
  var updateSeconds: Double {
    let share = strategy.sharding == .none ? 1 : 1 / Double(strategy.data)
    return cluster.processor.sweepSeconds(bytes: 66 * parametersPerRank * share)
  }

  /// Bytes of the fullest rank: state; what is kept of the micro-batches on their way; one layer that is computed again;
  /// and the scores of the vocabulary in 16 and 32 bits.
  var memoryBytes: Double {
    let layers = Double(shape.layers) / Double(strategy.pipeline)
    let stages = Double(strategy.pipeline)
    let interleaving = strategy.chunks > 1 ? 1 + (stages - 1) / (stages * Double(strategy.chunks)) : 1
    let underway = min(Double(microBatches), stages * interleaving)
    let whole = shape.layerActivationBytes(batch: strategy.microBatch, tensor: strategy.tensor)
    let kept = strategy.recomputes ? shape.layerInputBytes(batch: strategy.microBatch) : whole
    let scores = 10 * Double(rows) * Double(shape.vocabulary / strategy.tensor)
    return strategy.stateBytes(parameters: parametersPerRank) + underway * layers * kept
      + (strategy.recomputes ? whole : 0) + scores
  }
}
