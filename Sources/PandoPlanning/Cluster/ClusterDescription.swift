/// Machines that a run may be spread over, by their data sheets and by what share of those figures programs reach.
///
/// Rates are operations and bytes each second, sizes bytes, latencies seconds.
public struct ClusterDescription: Hashable, Sendable, Codable {
  /// What computes.
  public struct Processor: Hashable, Sendable, Codable {
    /// Operations on 16-bit numbers each second, at most.
    public var peakFlops: Double
    /// Bytes of memory.
    public var memory: Double
    /// Bytes each second from and to memory, at most.
    public var memoryBandwidth: Double
    /// Units that each work on a tile of a product.
    public var units: Int
    /// Shares of the two peaks that the best kernels reach.
    public var productEfficiency: Double, memoryEfficiency: Double
    /// Watts under load, and the price of an hour; 0 where they are not known.
    public var watts: Double, pricePerHour: Double

    /// A processor from its figures.
    public init(
      peakFlops: Double, memory: Double, memoryBandwidth: Double, units: Int, productEfficiency: Double = 1,
      memoryEfficiency: Double = 1, watts: Double = 0, pricePerHour: Double = 0
    ) {
      (self.peakFlops, self.memory, self.memoryBandwidth) = (peakFlops, memory, memoryBandwidth)
      (self.units, self.productEfficiency, self.memoryEfficiency) = (
        units, productEfficiency, memoryEfficiency
      )
      (self.watts, self.pricePerHour) = (watts, pricePerHour)
    }
  }

  /// A way between processors: α and β of each one's own share of it.
  public struct Link: Hashable, Sendable, Codable {
    /// Bytes each second that one processor can send while it receives as many.
    public var bandwidth: Double
    /// Seconds before the first byte arrives.
    public var latency: Double
    /// Share of the bandwidth that exchanges reach.
    public var efficiency: Double

    /// A link from its figures.
    public init(bandwidth: Double, latency: Double, efficiency: Double = 1) {
      (self.bandwidth, self.latency, self.efficiency) = (bandwidth, latency, efficiency)
    }
  }

  /// Its name.
  public var name: String
  /// What computes.
  public var processor: Processor
  /// Processors in a node.
  public var processorsPerNode: Int
  /// Processors in all.
  public var processors: Int
  /// Within a node, and between nodes.
  public var inside: Link, between: Link

  /// A cluster from its parts.
  public init(
    name: String, processor: Processor, processorsPerNode: Int, processors: Int, inside: Link, between: Link
  ) {
    (self.name, self.processor, self.processorsPerNode) = (name, processor, processorsPerNode)
    (self.processors, self.inside, self.between) = (processors, inside, between)
  }
}
