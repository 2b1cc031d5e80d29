import Foundation
import Pando
import PandoData

/// Runs the rungs of a ladder, the cheapest first, each as `pando train` would, in a folder of its own.
///
/// A rung that has ended is not run again where its folder holds the same recipe, one that was stopped goes on from its
/// checkpoint: so a ladder that was interrupted goes on when it is asked for again.
public struct LadderSession {
  /// How it came out.
  public struct Outcome: Sendable {
    /// The rungs that have ended, in their order.
    public var results: [RungResult] = []
    /// Whether someone asked it to stop before all had.
    public var isInterrupted = false
    /// Rungs that were left out since they would have ended after the time given.
    public var leftOut = 0
  }

  private let ladder: ScalingLadder
  private let time: LadderTime
  private let folder: URL
  private let dataFolder: URL
  private let device: Device
  private let columns: () -> Int?
  private let budget: Double?

  /// - Parameters:
  ///   - folder: where the rungs' folders are.
  ///   - dataFolder: where catalogued data sets are.
  ///   - columns: how wide the terminal is that progress is shown on; `nil` where it is none.
  ///   - budget: seconds of training that all rungs may take, those of earlier sessions included; `nil` for no limit.
  public init(
    _ ladder: ScalingLadder, time: LadderTime, folder: URL, dataFolder: URL, device: Device,
    columns: @escaping () -> Int?, budget: Double? = nil
  ) {
    (self.ladder, self.time, self.folder, self.dataFolder) = (ladder, time, folder, dataFolder)
    (self.device, self.columns, self.budget) = (device, columns, budget)
  }

  /// Runs what has not run yet.
  ///
  /// - Parameter shouldStop: asked after every step; `true` ends the rung after a checkpoint, and the ladder with it.
  /// - Throws: what `TrainingSession` throws, with the rung's folder in the text where training failed.
  public func run(note: (String) -> Void, shouldStop: @escaping () -> Bool) throws -> Outcome {
    var outcome = Outcome()
    let progress = LadderProgress(ladder, time: time, columns: columns)
    for (place, rung) in ladder.rungs.enumerated() {
      let place = (number: place + 1, folder: RunFolder(folder.appending(path: rung.folderName)))
      if let known = finished(rung, in: place.folder) {
        outcome.results.append(known)
        progress.pass(known)
        continue
      }
      if let budget, progress.secondsSpent + progress.seconds(of: rung) > budget * 1.05 {
        outcome.leftOut += 1
        continue
      }
      if shouldStop() {
        outcome.isInterrupted = true
        return outcome
      }
      progress.begin(rung, number: place.number)
      let session = TrainingSession(
        rung.recipe, folder: place.folder, resumes: isBegun(rung, in: place.folder), dataFolder: dataFolder,
        device: device, progress: nil, hasReport: false, observers: [progress])
      let ended: TrainingSession.Outcome
      do { ended = try session.run(note: { _ in }, shouldStop: shouldStop) } catch let error as TrainingError
      {
        progress.clear()
        throw TrainingError("in the rung \(rung.folderName) of the ladder: \(error.description)")
      }
      guard ended.summary.steps >= rung.steps, let result = result(rung, ended.summary) else {
        progress.clear()
        outcome.isInterrupted = true
        return outcome
      }
      outcome.results.append(result)
      progress.end(result, number: place.number)
    }
    progress.clear()
    return outcome
  }

  /// What a folder holds of a rung that has ended.
  private func finished(_ rung: ScalingLadder.Rung, in folder: RunFolder) -> RungResult? {
    guard holds(rung, folder), let bytes = try? Data(contentsOf: folder.summary),
      let summary = try? JSONDecoder().decode(RunSummary.self, from: bytes), summary.steps >= rung.steps
    else { return nil }
    return result(rung, summary)
  }

  private func isBegun(_ rung: ScalingLadder.Rung, in folder: RunFolder) -> Bool {
    holds(rung, folder) && !folder.checkpoints.steps.isEmpty
  }

  /// Whether a folder is of this very recipe.
  private func holds(_ rung: ScalingLadder.Rung, _ folder: RunFolder) -> Bool {
    (try? String(contentsOf: folder.recipe, encoding: .utf8)) == rung.recipe.yaml
  }

  private func result(_ rung: ScalingLadder.Rung, _ summary: RunSummary) -> RungResult? {
    guard let loss = summary.eval[Recipe.Metric.loss.rawValue] else { return nil }
    return RungResult(
      parameters: rung.parameters, tokens: rung.tokens, steps: rung.steps, size: rung.recipe.model.sizeText,
      loss: loss, seconds: summary.seconds, plannedSeconds: time.seconds(of: rung))
  }
}
