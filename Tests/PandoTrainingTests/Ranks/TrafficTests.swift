import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Training with less traffic: gradients in a smaller form, and steps that ranks do on their own.
@Suite struct TrafficTests {
  private final class Figures: TrainingObserver {
    var steps: [StepRecord] = []
    func willStart(_ run: TrainingRun) {}
    func didStep(_ record: StepRecord, _ run: TrainingRun) { steps.append(record) }
    func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) {}
    func didSave(step: Int, _ run: TrainingRun) {}
  }

  private struct Outcome {
    let evaluation: Double
    let digest: String
    let plan: RunPlan
    let sentBytes: [Int]
  }

  private static func train(_ recipe: Recipe, ranks: Int) throws -> [Outcome] {
    let count = 48
    let points = (0..<count * 12).map { Float(($0 * 2_654_435_761) % 1000) / 500 - 1 }
    let task = try TrainingTask(
      .classification(classes: 3, names: nil),
      ArraySource([
        ("input", HostArray(points, shape: [count, 12])),
        ("target", HostArray((0..<count).map { Int32($0 * $0 % 3) }, shape: [count])),
      ]))
    return try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: task, device: try Device(named: "cpu", threads: 1), ranks: Ranks(communicator))
      let figures = Figures()
      _ = try Trainer(run, observers: [figures]).train()
      return Outcome(
        evaluation: run.lastEvaluation?.loss ?? .nan, digest: try run.weightsDigest(), plan: run.plan,
        sentBytes: figures.steps.map(\.sentBytes))
    }
  }

  private static func recipe(steps: Int = 6, _ change: (inout Recipe) -> Void = { _ in }) -> Recipe {
    var recipe = Recipe()
    recipe.name = "traffic"
    recipe.seed = 3
    recipe.data.batch = 11
    recipe.model = .mlp(
      {
        var mlp = Recipe.Model.MLP()
        mlp.hidden = [16]
        return mlp
      }())
    recipe.train.steps = steps
    recipe.train.optimizer.rule = .sgd(Recipe.Optimizer.SGD())
    recipe.train.optimizer.learningRate = 0.3
    change(&recipe)
    return recipe
  }

  private static func topK(_ density: Double) -> Recipe.GradientForm {
    var topK = Recipe.GradientForm.TopK()
    topK.density = density
    return .topK(topK)
  }

  private static func power(_ rank: Int) -> Recipe.GradientForm {
    var power = Recipe.GradientForm.PowerSGD()
    power.rank = rank
    return .powerSGD(power)
  }

  private static func average(_ steps: Int) -> Recipe.LocalSteps {
    var average = Recipe.LocalSteps.Average()
    average.steps = steps
    return .average(average)
  }

  private static func diloco(_ steps: Int, rate: Double, momentum: Double) -> Recipe.LocalSteps {
    var diloco = Recipe.LocalSteps.DiLoCo()
    (diloco.steps, diloco.learningRate, diloco.momentum) = (steps, rate, momentum)
    return .diloco(diloco)
  }

  private static let forms: [(Recipe.GradientForm, Recipe.LocalSteps)] = [
    (.bf16, .none), (topK(0.1), .none), (power(1), .none), (.float32, average(3)),
    (.float32, diloco(2, rate: 0.7, momentum: 0.9)), (topK(0.2), diloco(3, rate: 0.7, momentum: 0.9)),
  ]

  /// Whatever is exchanged, all ranks end with the same bits, and memory is what was planned.
  @Test(arguments: forms.indices) func replicasStayTheSame(number: Int) throws {
    let (form, local) = Self.forms[number]
    let outcomes = try Self.train(
      Self.recipe {
        $0.parallel.gradients = form
        $0.parallel.local = local
        $0.train.accumulate = 2
        $0.train.optimizer.rule = .adamw(Recipe.Optimizer.AdamW())
        $0.train.optimizer.learningRate = 0.01
      }, ranks: 3)
    #expect(Set(outcomes.map(\.digest)).count == 1)
    for outcome in outcomes { #expect(outcome.plan.plannedBytes == outcome.plan.measuredBytes) }
    let whole = try Self.train(Self.recipe(), ranks: 3)
    let (sent, all): (Int, Int) = (outcomes[0].sentBytes.reduce(0, +), whole[0].sentBytes.reduce(0, +))
    let tenths = form == .bf16 ? 6 : 5
    #expect(sent * 10 < all * tenths)
    if let interval = local.interval {
      for (step, bytes) in outcomes[0].sentBytes.enumerated() {
        #expect((bytes > 0) == (step + 1).isMultiple(of: interval))
      }
    }
  }

  /// What sends all there is computes what whole gradients give; so do averaged weights after single steps of descent.
  @Test(arguments: [0, 1, 2, 3]) func whatLosesNothingChangesNothing(number: Int) throws {
    let whole = try Self.train(Self.recipe(), ranks: 2)[0]
    let other = try Self.train(
      Self.recipe {
        switch number {
        case 0: $0.parallel.gradients = Self.topK(1)
        case 1: $0.parallel.gradients = Self.power(64)
        case 2: $0.parallel.local = Self.average(1)
        default: $0.parallel.local = Self.diloco(1, rate: 1, momentum: 0)
        }
      }, ranks: 2)[0]
    #expect(abs(other.evaluation - whole.evaluation) < 1e-6 * whole.evaluation)
  }

  /// With rounds of one step of plain descent, the outer optimizer sees the gradient times the inner learning rate, so
  /// the whole is descent with Nesterov's momentum at the product of both rates.
  @Test func theOuterOptimizerIsNesterovs() throws {
    let outer = try Self.train(
      Self.recipe(steps: 8) {
        $0.train.optimizer.learningRate = 0.2
        $0.parallel.local = Self.diloco(1, rate: 0.5, momentum: 0.8)
      }, ranks: 3)[0]
    let plain = try Self.train(
      Self.recipe(steps: 8) {
        var rule = Recipe.Optimizer.SGD()
        (rule.momentum, rule.nesterov) = (0.8, true)
        $0.train.optimizer.rule = .sgd(rule)
        $0.train.optimizer.learningRate = 0.1
      }, ranks: 3)[0]
    #expect(abs(outer.evaluation - plain.evaluation) < 1e-5 * plain.evaluation)
  }

  /// One rank's mean is itself: rounds of averaging change nothing.
  @Test func oneRankAloneIsItsOwnMean() throws {
    let alone = try Self.train(Self.recipe(), ranks: 1)[0]
    let rounds = try Self.train(Self.recipe { $0.parallel.local = Self.average(2) }, ranks: 1)[0]
    #expect(abs(alone.evaluation - rounds.evaluation) < 1e-6 * alone.evaluation)
    // A compressed gradient is not the gradient, on one rank as on many.
    let sparse = try Self.train(Self.recipe { $0.parallel.gradients = Self.topK(0.05) }, ranks: 1)[0]
    #expect(abs(alone.evaluation - sparse.evaluation) > 1e-4 * alone.evaluation)
  }

  /// What was held back, and the optimizers' memory, are in the checkpoints: a run that stopped goes on as one that did
  /// not. On another number of ranks it goes on as well.
  @Test(arguments: forms.indices) func aStoppedRunGoesOn(number: Int) throws {
    let (form, local) = Self.forms[number]
    let place = try TemporaryFolder()
    let rows = (0..<60).map { row in
      (0..<4).map { "\((row * 7919 + $0 * 104_729) % 97)" }.joined(separator: ",") + ",c\(row % 3)"
    }
    let table = place.url.appending(path: "table.csv")
    try Data((["a,b,c,d,class"] + rows).joined(separator: "\n").utf8).write(to: table)
    let recipe = try Recipe(
      yaml: """
        name: stopped
        seed: 5
        data: {source: \(table.path), batch: 12, normalize: true}
        model: {kind: mlp, hidden: [12], dropout: 0.1}
        train:
          steps: 12
          optimizer: {kind: adamw, learning-rate: 0.01}
          evaluate: {every: 6}
        checkpoint: {every: 6}
        """)
    func session(_ name: String, ranks: Int, resumes: Bool, stopAt: Int?) throws -> String {
      var recipe = recipe
      recipe.parallel.gradients = form
      recipe.parallel.local = local
      let folder = place.url.appending(path: name)
      let spread = recipe
      return try InProcessCommunicator.run(ranks) { communicator in
        let session = TrainingSession(
          spread, folder: RunFolder(folder), resumes: resumes, dataFolder: folder,
          device: try Device(named: "cpu", threads: 1), progress: nil, ranks: Ranks(communicator))
        var asked = 0
        let outcome = try session.run(
          note: { _ in },
          shouldStop: {
            asked += local.interval ?? 1
            return asked == stopAt
          })
        if let stopAt { #expect(outcome.reason == .interrupted && outcome.summary.steps == stopAt) }
        return outcome.summary.weightsSHA256
      }[0]
    }
    let undisturbed = try session("undisturbed", ranks: 2, resumes: false, stopAt: nil)
    _ = try session("stopped", ranks: 2, resumes: false, stopAt: 6)
    #expect(try session("stopped", ranks: 2, resumes: true, stopAt: nil) == undisturbed)
    _ = try session("fewer", ranks: 3, resumes: false, stopAt: 6)
    _ = try session("fewer", ranks: 2, resumes: true, stopAt: nil)
  }

  @Test func whatDoesNotGoTogetherIsRefused() {
    func refusal(_ parallel: String, _ extra: String = "", reproducible: Bool = false) -> String {
      do {
        _ = try Recipe(
          yaml: """
            name: x
            reproducible: \(reproducible)
            data: {source: digits}
            model: {kind: mlp}
            train: {steps: 100\(extra)}
            parallel: \(parallel)
            """)
        return ""
      } catch { return "\(error)" }
    }
    #expect(refusal("{gradients: {kind: topk}}").contains("did you mean 'top-k'"))
    #expect(refusal("{gradients: {kind: top-k, density: 0}}").contains("parallel.gradients.density"))
    #expect(refusal("{gradients: {kind: bf16, rank: 2}}").contains("it belongs to power-sgd"))
    #expect(refusal("{gradients: {kind: bf16}}", reproducible: true).contains("parallel.gradients"))
    #expect(refusal("{local: {kind: diloco}}", reproducible: true).contains("parallel.local"))
    let uneven = refusal("{local: {kind: diloco, steps: 30}}", ", evaluate: {every: 50}")
    #expect(uneven.contains("train.evaluate.every") && uneven.contains("nearest is 60"))
    #expect(refusal("{local: {kind: diloco, steps: 30}}", ", evaluate: {every: 60}") == "")
  }
}
