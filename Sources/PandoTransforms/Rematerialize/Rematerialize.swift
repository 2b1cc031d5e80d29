import PandoIR
import PandoOperations

/// Gradient checkpointing: of the values that gradients need, only those between groups of layers are kept, and the
/// rest is computed again when the gradients come to it (Chen et al. 2016, arXiv:1604.06174).
///
/// A pass over the whole step, graph to graph. Work that is done twice gives the same bits twice: the same operations
/// on the same operands, and random numbers are functions of a counter. It stands before *Fuse*, so that what is cheap
/// to do again becomes part of the sweeps that want it, and after *Simplify*, which would see through nothing here, but
/// needs not try.
public struct Rematerialize: Pass {
  /// What is kept.
  public enum Policy: String, Hashable, Sendable {
    /// What goes from one layer to the next.
    case blocks
    /// What goes from one group of layers to the next; about as many groups as the square root of the layers, so that
    /// the kept values and a group's own take the same memory.
    case sqrt
  }

  public let name = "rematerialize"
  private let policy: Policy
  private let loss: Int

  /// - Parameter loss: the place of the loss among the graph's outputs.
  public init(_ policy: Policy, loss: Int) {
    self.policy = policy
    self.loss = loss
  }

  public func apply(_ graph: Graph) throws -> Graph {
    let anatomy = StepAnatomy(graph, loss: loss)
    let groups =
      switch policy {
      case .blocks: Array(0..<anatomy.segmentCount)
      case .sqrt: anatomy.bestGroups()
      }
    let choice = anatomy.choice(groups: groups)
    guard !choice.dropped.isEmpty else { return graph }
    var emission = RecomputeEmission(anatomy, choice)
    return try emission.graph()
  }
}

extension StepAnatomy {
  /// Segments put into `count` groups of about one size; the last segment stands alone.
  func groups(_ count: Int) -> [Int] {
    let segments = segmentCount - 1
    return (0..<segmentCount).map { $0 == segments ? count : $0 * count / max(1, segments) }
  }

  /// The groups with which the least is alive: what is kept between them, and the largest group.
  func bestGroups() -> [Int] {
    let estimates = (1...max(1, segmentCount - 1)).map { (estimatedBytes(groups($0)), $0) }
    return groups(estimates.min { $0 < $1 }!.1)
  }

  /// About how many bytes are alive at the most when only what goes from group to group is kept.
  func estimatedBytes(_ groups: [Int]) -> Int {
    var between = 0
    var inside: [Int: Int] = [:]
    for value in kept {
      if isBoundary(value, groups) {
        between += value.type.byteCount
      } else {
        inside[groups[segment(producer[value.id])!], default: 0] += value.type.byteCount
      }
    }
    return between + (inside.values.max() ?? 0)
  }
}
