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
}
