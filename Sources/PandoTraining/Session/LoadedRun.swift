import Foundation
import Pando
import PandoData
import PandoNN

extension TrainingRun {
  /// Writes text with the weights as they are now.
  func generator() throws -> TextGenerator {
    guard case .language(let vocabulary) = task.kind else {
      throw TrainingError("\(recipe.name) is not a language model, so it cannot write text")
    }
    return try TextGenerator(
      state.model, weights: (wholeWeights ?? state.weights).map { ($0.placeholder, $0.buffer) },
      vocabulary: vocabulary, context: task.inputType.shape[0], precision: recipe.train.precision,
      device: device)
  }
}

extension TextGenerator {
  /// The language model of a finished or stopped run: its best checkpoint, or the latest where there is no best.
  ///
  /// - Throws: `RecipeError`, `CheckpointError` or `DataError` where the folder holds no such model.
  public static func load(run folder: RunFolder, device: Device) throws -> TextGenerator {
    let recipe = try Recipe.load(path: folder.recipe.path)
    guard recipe.model.readsText else {
      throw RecipeError(
        keyPath: "model.kind", source: folder.recipe.path,
        message: "the run trained a \(recipe.model.kindName), and only a gpt writes text")
    }
    guard let found = folder.checkpoints.best() ?? folder.checkpoints.latest() else {
      throw CheckpointError(folder.checkpoints.folder, "holds no whole checkpoint; train first")
    }
    let vocabulary = try TextVocabulary(
      contentsOf: found.url.appending(path: StateCheckpoints.vocabularyFile))
    let context = recipe.data.context ?? 256
    let model = try recipe.model.makeLayer(
      inputType: TensorType([context], .int32), classes: vocabulary.count)
    let weights = try model.namedParameters().map { named in
      TrainingState.Entry(
        name: named.name, placeholder: named.parameter.tensor, buffer: HostBuffer(named.parameter.type))
    }
    try StateCheckpoints.read(weights, StateCheckpoints.modelStem, of: found)
    return try TextGenerator(
      model, weights: weights.map { ($0.placeholder, $0.buffer) }, vocabulary: vocabulary, context: context,
      precision: recipe.train.precision, device: device)
  }
}
