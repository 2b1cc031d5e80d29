import PandoData
import PandoIR
import PandoTraining
import Testing

/// Training in mixed precision: float32 weights, and losses near those of float32.
@Suite struct MixedPrecisionTests {
  private final class Losses: TrainingObserver {
    var values: [Double] = []
    func willStart(_ run: TrainingRun) {}
    func didStep(_ record: StepRecord, _ run: TrainingRun) { values.append(record.loss) }
    func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) {}
    func didSave(step: Int, _ run: TrainingRun) {}
  }

  /// Losses of a few steps on made-up samples, and the last evaluation's.
  private func losses(
    _ workload: Workload, _ model: Recipe.Model, accumulate: Int = 1, _ precision: Recipe.Precision
  ) throws -> [Double] {
    var workload = workload
    workload.batch = 8
    let task = try workload.task()
    var recipe = workload.recipe(precision: precision, threads: 2)
    recipe.data.batch = 8 / accumulate
    recipe.model = model
    recipe.train.steps = 12
    recipe.train.accumulate = accumulate
    recipe.train.optimizer.learningRate = 1e-3
    let run = try TrainingRun(recipe, task: task, device: .cpu)
    let observer = Losses()
    _ = try Trainer(run, observers: [observer]).train()
    return observer.values + [try #require(run.lastEvaluation).loss]
  }

  /// With unit roundoff u = 2^-9 and sums in float32, a layer moves its results by a few u, mostly at random; a dozen
  /// layers and steps move a loss by less than ten u of itself.
  private func expectNear(_ actual: [Double], _ expected: [Double]) {
    #expect(actual.count == expected.count)
    for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 10 * 0x1p-9 * max(b, 1)) }
    #expect(actual != expected)
    #expect(actual.last! < actual[0])
  }

  @Test(arguments: [1, 2]) func transformerTrainsAsInFloat32(_ accumulate: Int) throws {
    var gpt = Recipe.Model.GPT()
    (gpt.layers, gpt.width, gpt.heads, gpt.dropout) = (2, 32, 2, 0.1)
    expectNear(
      try losses(.gpt, .gpt(gpt), accumulate: accumulate, .bf16),
      try losses(.gpt, .gpt(gpt), accumulate: accumulate, .float32))
  }

  @Test func convolutionsTrainAsInFloat32() throws {
    var cnn = Recipe.Model.CNN()
    (cnn.channels, cnn.dense) = ([8, 16], 32)
    expectNear(try losses(.resnet18, .cnn(cnn), .bf16), try losses(.resnet18, .cnn(cnn), .exact))
  }

  @Test func perceptronTrainsAsInFloat32() throws {
    expectNear(
      try losses(.mlp, .mlp(Recipe.Model.MLP()), .bf16), try losses(.mlp, .mlp(Recipe.Model.MLP()), .float32))
  }
}
