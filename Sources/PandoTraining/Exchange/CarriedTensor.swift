import Pando

/// A tensor beside the run's state on which later steps depend: a checkpoint without it would not go on as the run
/// would have gone on.
package struct CarriedTensor {
  /// What the ranks have in it.
  package enum Spread: String {
    /// All the same.
    case same
    /// Each its own, and their sum is what counts: on another number of ranks each gets an equal share of it.
    case sum
    /// Each its own; on another number of ranks each gets the mean.
    case mean
  }

  package let name: String
  package let buffer: HostBuffer
  package let spread: Spread

  /// What a checkpoint calls the one of `rank`: `rank-2/NAME`, or just its name where all ranks have the same.
  func name(of rank: Int) -> String { spread == .same ? name : "rank-\(rank)/\(name)" }
}
