/// Saves a run's state, perhaps while the run goes on. All ranks make the same calls after the same steps, but for
/// `abandon`.
public protocol CheckpointKeeper {
  /// Saves the state as it is now, or begins to; one that fails leaves those before it.
  func save(_ run: TrainingRun, isBest: Bool) throws
  /// Whether this rank has written its part of what was begun last.
  var isWritten: Bool { get }
  /// Ends what was begun last, once all ranks have written their parts; waits for this rank's, if need be.
  ///
  /// - Throws: `CheckpointError` where a part could not be written.
  func settle() throws
  /// Returns once everything that was begun is in place.
  ///
  /// - Throws: `CheckpointError` where that failed.
  func finish() throws
  /// The run ends badly: returns once nothing is being written any more.
  func abandon()
}
