/// How a run is spread.
public struct ParallelStrategy: Hashable, Sendable, Codable {
  /// What of the optimizer's state each of the ranks with other data keeps only a part of (Rajbhandari et al. 2020).
  public enum Sharding: Int, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing.
    case none
    /// The optimizer's tensors.
    case optimizer
    /// And the gradients.
    case gradients
    /// And the weights.
    case weights
  }

  /// Which exchanges go on while the ranks compute.
  public enum Overlap: Int, Hashable, Sendable, Codable, CaseIterable {
    /// None.
    case nothing
    /// Gradients go around between ranks with other data beside the last micro-batch's backward pass (Li et al. 2020,
    /// "PyTorch Distributed").
    case gradients
    /// And those between the ranks that share a layer beside the product for the gradient of its weights: in Megatron-LM
    /// since September 2021.
    case everything
  }

  /// Ranks along each axis.
  public var data: Int, tensor: Int, pipeline: Int
  /// Sequences that go through the pipeline together.
  public var microBatch: Int
  /// Groups of layers that each rank of a pipeline has (Narayanan et al. 2021, "interleaved"); 1 is 1F1B.
  public var chunks: Int
  /// What is kept in parts.
  public var sharding: Sharding
  /// Whether each layer is computed again for its gradients.
  public var recomputes: Bool
  /// Which exchanges cost no time of their own.
  public var overlap: Overlap

  /// A strategy; plain unless said.
  public init(
    data: Int = 1, tensor: Int = 1, pipeline: Int = 1, microBatch: Int = 1, chunks: Int = 1,
    sharding: Sharding = .none, recomputes: Bool = true, overlap: Overlap = .nothing
  ) {
    self.overlap = overlap
    (self.data, self.tensor, self.pipeline) = (data, tensor, pipeline)
    (self.microBatch, self.chunks, self.sharding, self.recomputes) = (
      microBatch, chunks, sharding, recomputes
    )
  }

  /// Ranks in all.
  public var ranks: Int { data * tensor * pipeline }

  /// Bytes of weights, gradients and optimizer state that a rank holds of `parameters` that it is responsible for, by
  /// Adam in mixed precision: 2 bytes for each weight, 2 for its gradient and 12 for the optimizer, of which `sharding`
  /// leaves a part of one over `data` (Rajbhandari et al. 2020, figure 1: 4Ψ + 12Ψ/N, 2Ψ + 14Ψ/N, 16Ψ/N).
  public func stateBytes(parameters: Double) -> Double {
    let shares = Sharding.allCases.dropFirst().map { sharding.rawValue >= $0.rawValue ? 1 / Double(data) : 1 }
    return parameters * (12 * shares[0] + 2 * shares[1] + 2 * shares[2])
  }
}
