import Foundation
import PandoData
import PandoIR

/// What a recipe's data ask of a network: what goes in, what must come out, and how batches are made.
public struct TrainingTask: Sendable {
  /// What is predicted.
  public enum Kind: Sendable {
    /// One of several classes for each sample.
    case classification(classes: Int, names: [String]?)
    /// The next token at each place of a text.
    case language(TextVocabulary)
  }

  /// What is predicted.
  public let kind: Kind
  /// The samples that are learnt from.
  public let training: any SampleSource
  /// The samples that are judged by.
  public let held: any SampleSource
  /// The name of the field that goes in, and of the one that must come out.
  public let inputField: String, targetField: String
  /// Changes to the training samples and to the held-out ones.
  let trainingTransforms: [any SampleTransform]
  let heldTransforms: [any SampleTransform]
  /// The type of one input after the transforms.
  public let inputType: TensorType
  /// The type of one target.
  public let targetType: TensorType
  /// The target of places that count for nothing, such as those behind the end of a short text; `nil` where all count.
  public let ignoredTarget: Int?

  /// How many classes, or tokens, there are.
  public var classes: Int {
    switch kind {
    case .classification(let classes, _): classes
    case .language(let vocabulary): vocabulary.count
    }
  }

  /// Opens a recipe's data; a catalogued data set must be installed already.
  ///
  /// - Parameters:
  ///   - folder: where catalogued data sets are kept.
  ///   - vocabulary: the numbering of characters that a saved run used; `nil` for a new run.
  /// - Throws: `DataError` or `RecipeError`.
  public init(_ recipe: Recipe, dataFolder folder: URL, vocabulary: TextVocabulary? = nil) throws {
    let data = recipe.data
    var options = OpenOptions(unit: data.unit == .byte ? .byte : .character, context: data.context ?? 256)
    options.vocabulary = vocabulary
    if let label = data.label { options.table.label = .name(label) }
    let (train, held) = try Self.open(data, options, folder)
    guard let classes = train.classCount else {
      throw RecipeError(
        keyPath: "data.source",
        message: "the targets of \(data.source) are numbers, and networks here predict classes")
    }
    let isText = train.vocabulary != nil
    guard isText == recipe.model.readsText else {
      throw RecipeError(
        keyPath: "model.kind",
        message: isText
          ? "\(data.source) is text, which needs a model of kind 'gpt'"
          : "\(data.source) is not text, and a gpt reads text; use mlp, cnn, resnet or vit")
    }
    kind =
      train.vocabulary.map { .language($0) } ?? .classification(classes: classes, names: train.classNames)
    training = train.source
    self.held = held.source
    inputField = train.inputField
    targetField = train.targetField
    (trainingTransforms, heldTransforms) = try Self.transforms(data, train)
    let pipeline = try TransformPipeline(trainingTransforms, fields: training.fields)
    inputType = pipeline.outputFields.first { $0.name == train.inputField }!.type
    targetType = pipeline.outputFields.first { $0.name == train.targetField }!.type
    ignoredTarget = nil
  }

  /// A task over samples in memory that are used as they are.
  ///
  /// - Parameters:
  ///   - source: has the fields `input` and `target`; it is both learnt from and judged by.
  ///   - ignored: the target of places that count for nothing. The loss of a step is the mean over all other places of
  ///     all its samples, however they are spread over batches and ranks.
  public init(_ kind: Kind, _ source: any SampleSource, ignoring ignored: Int? = nil) throws {
    guard let input = source.field("input"), let target = source.field("target") else {
      throw DataError(
        .notFound, at: "task", "needs samples with the fields 'input' and 'target', got \(source.fields)")
    }
    self.kind = kind
    training = source
    held = source
    (inputField, targetField) = (input.name, target.name)
    (trainingTransforms, heldTransforms) = ([], [])
    (inputType, targetType) = (input.type, target.type)
    ignoredTarget = ignored
  }

  private static func open(
    _ data: Recipe.Dataset, _ options: OpenOptions, _ folder: URL
  ) throws -> (OpenedSplit, OpenedSplit) {
    let open: (DataSplit) throws -> OpenedSplit
    let evaluationSplit: DataSplit
    if LocalData.isPath(data.source) {
      let local = try LocalData(path: data.source)
      evaluationSplit = local.splits.last ?? .train
      open = { try local.open($0, options: options) }
    } else {
      let entry = try DatasetCatalogue.entry(named: data.source)
      evaluationSplit = entry.card.evaluationSplit
      open = { try entry.open($0, in: folder, options: options) }
    }
    var train = try open(.train)
    switch data.validation {
    case nil: return (train, try open(evaluationSplit))
    case .split(let name):
      guard let split = DataSplit(rawValue: name) else {
        let near =
          nearestName(to: name, among: DataSplit.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" }
          ?? ""
        throw RecipeError(keyPath: "data.validation", message: "no split is called '\(name)'\(near)")
      }
      return (train, try open(split))
    case .fraction(let fraction):
      let (rest, held) = try part(train.source, fraction, isText: train.vocabulary != nil)
      var heldSplit = train
      train.source = rest
      heldSplit.source = held
      return (train, heldSplit)
    }
  }

  /// Text keeps its last part back, everything else samples spread evenly, which a fixed shuffle picks.
  private static func part(
    _ source: any SampleSource, _ fraction: Double, isText: Bool
  ) throws -> (any SampleSource, any SampleSource) {
    let heldCount = Int((Double(source.count) * fraction).rounded())
    guard heldCount > 0, heldCount < source.count else {
      throw RecipeError(
        keyPath: "data.validation",
        message: "\(fraction) of \(source.count) samples leaves nothing to train or judge by")
    }
    let kept = source.count - heldCount
    if isText { return (SubsetSource(source, 0..<kept), SubsetSource(source, kept..<source.count)) }
    let order = KeyedPermutation(count: source.count, seed: 0x70616E646F, epoch: 0)
    let shuffled = (0..<source.count).map { order[$0] }
    return (SubsetSource(source, Array(shuffled[..<kept])), SubsetSource(source, Array(shuffled[kept...])))
  }

  private static func transforms(
    _ data: Recipe.Dataset, _ split: OpenedSplit
  ) throws -> ([any SampleTransform], [any SampleTransform]) {
    guard split.vocabulary == nil else { return ([], []) }
    let type = split.source.field(split.inputField)!.type
    var random: [any SampleTransform] = []
    if data.augment.crop > 0 || data.augment.flip, type.rank < 2 {
      throw RecipeError(
        keyPath: "data.augment", message: "needs images, but a sample of \(data.source) is \(type)")
    }
    if data.augment.crop > 0 { random.append(RandomCrop(split.inputField, padding: data.augment.crop)) }
    if data.augment.flip { random.append(RandomHorizontalFlip(split.inputField)) }
    let scale: Float = type.dtype == .uint8 ? 1 / 255 : 1
    let normalize: Normalize =
      switch data.normalize {
      case .measured:
        split.statistics.map { Normalize(split.inputField, $0) } ?? Normalize(split.inputField, scale: scale)
      case .off: Normalize(split.inputField, scale: scale)
      case .fixed(let mean, let deviation):
        Normalize(
          split.inputField, scale: scale, mean: mean.map { Float($0) }, deviation: deviation.map { Float($0) }
        )
      }
    return (random + [normalize], [normalize])
  }

  /// Every held-out sample once, all ranks together: each takes every `ranks`th batch from its own on.
  func heldLoader(batch: Int, rank: Int, of ranks: Int) throws -> BatchLoader {
    try BatchLoader(
      held, transforms: heldTransforms,
      options: .evaluation(batchSize: batch, stride: batch * ranks, offset: batch * rank))
  }
}
