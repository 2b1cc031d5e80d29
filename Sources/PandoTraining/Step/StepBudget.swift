import Pando

/// What a step may take for sums and intermediate values, and how it is to keep within that.
struct StepBudget {
  /// What is computed again.
  let policy: Recipe.Recompute
  /// Bytes of all that the step needs beside weights, optimizer and batches; `nil` for any.
  let limit: Int?

  /// Makes a step's program that has gradients.
  ///
  /// - Parameters:
  ///   - loss: the place of the loss among its outputs.
  ///   - taken: bytes that the rest of the step takes.
  ///   - programs: how many such programs there are at once.
  ///   - make: makes the program, or all of them.
  /// - Throws: `StepLimitError` where the limit is too low for any.
  func program<Made>(
    loss: Int, taken: Int = 0, programs: Int = 1, _ make: (Recomputation) throws -> Made
  ) throws -> Made {
    let policy: Recomputation.Policy =
      switch policy {
      case .none: .none
      case .blocks: .blocks
      case .sqrt: .sqrt
      case .auto: limit.map { .fit(arenaBytes: ($0 - taken) / programs) } ?? .none
      }
    do { return try make(Recomputation(policy, loss: loss)) } catch let error as ArenaLimitError {
      throw StepLimitError(needed: taken + error.smallest * programs)
    }
  }
}

/// A step cannot do with what it may take.
struct StepLimitError: Error {
  /// The least bytes that it can do with.
  let needed: Int
}
