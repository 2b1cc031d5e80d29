import Pando
import PandoNN
import PandoOptimizers

/// A step that one program does, run once.
protocol OneProgramStep: StepProgram {
  var runner: StepRunner { get }
}

extension OneProgramStep {
  var program: Program { runner.program }
  var programs: [Program] { [program] }
  var phases: [StepPhase] { [StepPhase(program: program, runs: 1)] }
  var memory: [MemoryReport] { [program.memory] }
  var stateMemory: StateMemory? { runner.stateMemory }
  var sumBytes: Int { 0 }
  var flops: Int { program.cost.flops }
}

/// A whole step as one graph, from old state to new.
struct StepGraph {
  /// Trained parameters, the optimizer's tensors and running statistics, whose places the new ones take.
  let state: [Tensor]
  /// The state; then key, learning rate, number of the step, samples and targets.
  let inputs: [Tensor]
  /// The new state, loss and norm of the gradients, and what layers tell of themselves.
  let outputs: [Tensor]
  /// Each state tensor goes to its successor's place.
  let donations: [Int: Int]
  /// The place of the samples among the inputs; the targets come next.
  var samples: Int { state.count + 3 }

  init(_ pass: StepTensors, _ state: TrainingState, recipe: Recipe, optimizer: any Optimizer) {
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: pass.rate, step: pass.step,
      isCounted: pass.counted != nil)
    let result = rule.apply(gradients: pass.gradients, totals: pass.totals)
    let oldStatistics = pass.oldStatistics(state)
    self.state = pass.trained + state.slots.flatMap { $0.map(\.placeholder) } + oldStatistics
    inputs = self.state + [pass.key, pass.rate, pass.step, pass.x, pass.y]
    outputs =
      result.parameters + result.slots
      + zip(pass.newStatistics, oldStatistics).map { select(result.isFinite, $0, $1) }
      + [result.loss, result.norm] + result.figures
    donations = Dictionary(uniqueKeysWithValues: self.state.indices.map { ($0, $0) })
  }
}
