import Foundation
import Pando

/// How long the rungs of a ladder take, before they run.
public struct LadderTime: Sendable {
  /// Seconds of a step by the cost model, of each of the ladder's models.
  private let stepSeconds: [Recipe.Model: Double]

  /// Compiles a step of each of the ladder's models; nothing runs.
  ///
  /// - Throws: as `TrainingRun` does.
  public init(_ ladder: ScalingLadder, task: TrainingTask, device: Device) throws {
    var stepSeconds: [Recipe.Model: Double] = [:]
    for rung in ladder.rungs where stepSeconds[rung.recipe.model] == nil {
      let run = try TrainingRun(rung.recipe, task: task, device: device, isPlan: true)
      stepSeconds[rung.recipe.model] = run.program.phases.reduce(0) {
        $0 + Double($1.runs) * $1.program.estimatedSeconds
      }
    }
    self.stepSeconds = stepSeconds
  }

  /// Seconds of a rung's steps.
  public func seconds(of rung: ScalingLadder.Rung) -> Double {
    (stepSeconds[rung.recipe.model] ?? 0) * Double(rung.steps)
  }

  /// Seconds of all steps of a ladder of the same models.
  public func seconds(of ladder: ScalingLadder) -> Double { ladder.rungs.reduce(0) { $0 + seconds(of: $1) } }
}
