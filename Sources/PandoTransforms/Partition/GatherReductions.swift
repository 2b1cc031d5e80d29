import PandoIR

/// Makes one rank's program ready for reductions that go on beside computing: what nothing uses is dropped, every
/// reduction stands right behind the node that makes its operand, and small ones over one group of ranks are put
/// together.
///
/// It is the end of `Partition`, and the whole of it for a program whose exchanges were written down by hand, as where
/// ranks compute on samples of their own and add up gradients.
public struct GatherReductions: Pass {
  public let name = "gather-reductions"
  private let bucketBytes: Int

  /// - Parameter bucketBytes: the most bytes of reductions that are put together; 0 leaves them apart.
  public init(bucketBytes: Int = 4 << 20) { self.bucketBytes = bucketBytes }

  public func apply(_ graph: Graph) throws -> Graph {
    let passes: [any Pass] = [
      EliminateDeadCode(), HoistReductions(), MergeReductions(bucketBytes: bucketBytes),
    ]
    return try graph.applying(passes)
  }
}
