import Foundation
import Pando

/// Small runs of a recipe, from whose losses that of the recipe itself can be foretold.
///
/// The recipe as it stands is the size asked for, of N parameters that see D tokens. The ladder is a grid below it: each
/// of some smaller models with each of some shorter runs. Every rung is a whole run, whose learning rate rises and falls
/// within its own steps.
public struct ScalingLadder: Sendable {
  /// What the ladder is made of.
  public struct Options: Hashable, Sendable {
    /// How many sizes of the model, and how many amounts of data.
    public var sizes = 4, amounts = 4
    /// The largest rung has at most one part in so many of the parameters times tokens that are asked for.
    public var reach = 8.0

    /// Four sizes, four amounts, an eighth.
    public init() {}
  }

  /// From one size of the model to the next. Sizes and amounts stay near what is asked for: the law adds what size and
  /// data cost, while very small models stop gaining from data long before larger ones do.
  static let sizeFactor = 1.6
  /// From one amount of data to the next. The losses of very short runs, in which a network learns little but the
  /// frequencies of its targets, follow another course, so the amounts lie close together.
  static let dataFactor = 1.5
  /// A run of fewer steps says nothing of longer ones.
  static let fewestSteps = 10

  /// A run: the recipe, and its place in the law.
  public struct Rung: Sendable {
    /// The run's recipe.
    public let recipe: Recipe
    /// Trained elements.
    public let parameters: Int
    /// Tokens that are learnt from, repeats included; where samples are no texts, samples.
    public let tokens: Int
    /// Updates of the weights.
    public let steps: Int

    /// Parameters times tokens.
    public var pairs: Double { Double(parameters) * Double(tokens) }
    /// The run's folder inside the ladder's.
    public var folderName: String { "\(parameters)-parameters-\(steps)-steps" }
  }

  /// The size asked for.
  public let target: Rung
  /// The runs, the cheapest first.
  public let rungs: [Rung]
  /// How often the whole run goes through the training data.
  public let epochs: Double

  /// Chooses the rungs.
  ///
  /// Rungs are runs of one process, and so is the recipe as this ladder's target: how it is spread does not count.
  /// - Throws: `RecipeError` where the recipe is so small that there is no ladder below it.
  public init(_ recipe: Recipe, task: TrainingTask, options: Options = Options()) throws {
    let samples = recipe.data.batch * recipe.train.accumulate
    let stepsPerEpoch = max(1, task.training.count / samples)
    let steps = recipe.train.steps ?? (recipe.train.epochs ?? 1) * stepsPerEpoch
    let tokensPerStep = samples * task.targetType.count
    var whole = recipe
    whole.parallel = Recipe.Parallel()
    target = Rung(
      recipe: whole, parameters: try recipe.model.parameterCount(for: task), tokens: steps * tokensPerStep,
      steps: steps)
    epochs = Double(steps * samples) / Double(max(1, task.training.count))

    let models = try Self.models(below: target, task: task, options: options)
    guard let largest = models.first else { throw Self.tooSmall(recipe, task) }
    let most = target.pairs / options.reach / Double(largest.parameters) / Double(tokensPerStep)
    let longest = min(Double(steps), most.rounded(.down))
    let lengths = (0..<options.amounts).map {
      Int((longest / pow(Self.dataFactor, Double($0))).rounded(.down))
    }
    guard let shortest = lengths.last, shortest >= Self.fewestSteps, Set(lengths).count == lengths.count
    else {
      let needed =
        Double(Self.fewestSteps) * pow(Self.dataFactor, Double(options.amounts - 1)) * Double(steps) / most
      throw RecipeError(
        keyPath: "train.steps",
        message:
          "\(steps) steps leave the shortest run of a ladder \(lengths.last ?? 0); expected \(Self.fewestSteps) or "
          + "more, which about \(Int(needed.rounded(.up)) + 1) steps of the whole run leave")
    }
    rungs = models.flatMap { model in
      lengths.map { length in
        Rung(
          recipe: Self.recipe(whole, model: model.model, steps: length, of: steps),
          parameters: model.parameters,
          tokens: length * tokensPerStep, steps: length)
      }
    }.sorted { ($0.pairs, $0.parameters) < ($1.pairs, $1.parameters) }
  }

  /// The smaller models, the largest first: each five eighths of the one before, as nearly as there is one.
  private static func models(
    below target: Rung, task: TrainingTask, options: Options
  ) throws -> [(model: Recipe.Model, parameters: Int)] {
    var seen: Set<Recipe.Model> = []
    let sizes = try target.recipe.model.sizesBelow.filter { seen.insert($0).inserted }.compactMap {
      model -> (model: Recipe.Model, parameters: Int)? in
      let count = try model.parameterCount(for: task)
      return count < target.parameters ? (model, count) : nil
    }
    var chosen: [(model: Recipe.Model, parameters: Int)] = []
    for place in 0..<options.sizes {
      let wanted = Double(target.parameters) / options.reach.squareRoot() / pow(sizeFactor, Double(place))
      func badness(_ size: (model: Recipe.Model, parameters: Int)) -> Double {
        abs(log(Double(size.parameters) / wanted)) + size.model.disproportion(to: target.recipe.model) / 4
      }
      let free = sizes.filter { size in chosen.allSatisfy { size.parameters < $0.parameters } }
      guard let best = free.min(by: { badness($0) < badness($1) }) else {
        throw tooSmall(target.recipe, task)
      }
      chosen.append(best)
    }
    return chosen
  }

  private static func tooSmall(_ recipe: Recipe, _ task: TrainingTask) -> RecipeError {
    RecipeError(
      keyPath: "model",
      message: "there are too few smaller models of this kind to make a ladder of; ask for a larger one")
  }

  /// The recipe of a rung: the same but for model and steps, and what goes by steps.
  static func recipe(_ whole: Recipe, model: Recipe.Model, steps: Int, of all: Int) -> Recipe {
    var recipe = whole
    recipe.model = model
    (recipe.train.steps, recipe.train.epochs) = (steps, nil)
    func shortened(_ count: Int) -> Int {
      count == 0 ? 0 : max(1, Int((Double(count) * Double(steps) / Double(all)).rounded()))
    }
    recipe.train.schedule.warmup = shortened(whole.train.schedule.warmup)
    if case .step(var stairs) = whole.train.schedule.course {
      stairs.every = shortened(stairs.every)
      recipe.train.schedule.course = .step(stairs)
    }
    // Only the end counts, and every rung goes to its own.
    recipe.train.evaluate.every = steps
    (recipe.objective.target, recipe.objective.patience) = (nil, nil)
    (recipe.checkpoint.every, recipe.checkpoint.keep) = (nil, 1)
    return recipe
  }
}
