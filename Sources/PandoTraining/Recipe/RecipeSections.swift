/// The recipe's keys. Everything about a key is said here once: name, property, kind of value, documentation.
extension Recipe {
  package static let section = Section<Recipe>(
    blank: Recipe(),
    [
      .required("name", \.name, .folderName, "The run's name, and that of its folder below `runs/`."),
      .key("seed", \.seed, .integer(0...Int.max), "Every random number of the run follows from it."),
      .key(
        "reproducible", \.reproducible, .boolean,
        "Bit-identical weights on any number of ranks, at some cost in speed."),
      .required("data", \.data, .section(Dataset.section), "The examples and how they are prepared."),
      .required("model", \.model, .section(Model.section), "The network; `kind` decides the other keys."),
      .key(
        "objective", \.objective, .section(Objective.section), "What counts as good; when to stop early."),
      .required("train", \.train, .section(Training.section), "How the network is trained."),
      .key(
        "parallel", \.parallel, .parallel,
        "How the work is spread; `auto` takes the way that is fastest by the cost model and fits into memory."
      ),
      .key("checkpoint", \.checkpoint, .section(Checkpoint.section), "When the run is saved."),
      .key("energy", \.energy, .section(Energy.section), "What is known of the energy that it takes."),
    ])
}

extension Recipe.Dataset {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .required(
        "source", \.source, .text, "A dataset's name (`pando data list`), or the path of a file or folder."),
      .optional(
        "unit", \.unit, .choice(), "What one token of text is. Text only; `character` if absent."),
      .optional("context", \.context, .integer(1...(1 << 24)), "Tokens in one example of text. Text only."),
      .key(
        "batch", \.batch, .integer(1...(1 << 30)), "Examples in one batch, over all ranks."),
      .key("shuffle", \.shuffle, .boolean, "Whether each epoch has an order of its own."),
      .key("prefetch", \.prefetch, .integer(0...1024), "Batches prepared ahead on another thread."),
      .optional(
        "validation", \.validation, .validation,
        "What is held out: a share of the examples, or a split's name. If absent, the source's test split."),
      .key(
        "normalize", \.normalize, .normalization,
        "`true` measures mean and deviation on the training examples; `{mean: […], std: […]}` gives them, "
          + "one a channel."),
      .key("augment", \.augment, .section(Recipe.Augmentation.section), "Random changes to training images."),
      .optional("label", \.label, .text, "The column of a CSV file that holds the class."),
    ])
}

extension Recipe.Augmentation {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .key("crop", \.crop, .integer(0...1024), "Pixels of padding around an image before a random crop."),
      .key("flip", \.flip, .boolean, "Whether images are mirrored left to right at random."),
    ])
}

extension Recipe.Objective {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .optional(
        "metric", \.metric, .choice(),
        "What is measured. If absent, `accuracy`, or `bits-per-character` for text."),
      .optional("target", \.target, .number(.finite), "Training stops once the metric is this good."),
      .optional(
        "patience", \.patience, .integer(1...Int.max),
        "Training stops after this many evaluations without a better one."),
    ])
}

extension Recipe.Parallel {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .key(
        "axes", \.axes, .axes,
        "The mesh: ranks along each named axis, as in `{data: 2, tensor: 2}`; axes are `data`, `fsdp`, `tensor`, "
          + "`expert`, `sequence` and `pipeline`. `data` takes what the others leave."),
      .optional(
        "zero", \.zero, .integer(0...3),
        "What ranks of different samples keep in parts: 1 the optimizer's tensors, 2 gradients too, 3 parameters too; "
          + "over `fsdp`, or `data` where there is none. If absent, 3 with an axis `fsdp`, 0 otherwise."),
      .key(
        "names", \.names, .namedAxes,
        "The mesh axis along which parameters' dimensions are cut, by their names. If empty, "
          + "`{heads: tensor, mlp: tensor}`; `expert: expert` always."),
      .optional(
        "shards", \.shards, .integer(1...(1 << 20)),
        "Reproducible runs only: the parts of a batch, which are computed apart and added up in a fixed order. A "
          + "divisor of `data.batch`, and the most ranks there can be. If absent, the largest divisor up to 16."
      ),
      .key(
        "pipeline", \.pipeline, .section(Recipe.Pipeline.section),
        "How the stages along the axis `pipeline` work together."),
      .key(
        "gradients", \.gradients, .section(Recipe.GradientForm.section),
        "In what form ranks add up their gradients, or with `local` what has changed."),
      .key(
        "local", \.local, .section(Recipe.LocalSteps.section),
        "Whether ranks train on their own for a while before they tell each other."),
    ])
}

extension Recipe.Checkpoint {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .optional(
        "every", \.every, .integer(1...Int.max),
        "Steps between two checkpoints. If absent, one at each evaluation."),
      .key("keep", \.keep, .integer(1...10_000), "How many of the latest stay, beside the best."),
      .key(
        "background", \.background, .boolean,
        "Whether a copy of the state is written while training goes on. The copy takes memory, which is planned; without it training stands still meanwhile."
      ),
    ])
}

extension Recipe.Energy {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .optional(
        "country", \.country, .text,
        "Whose electricity it is, for CO₂: a code such as `FR`, or a name. If absent, the world's mean."),
      .optional(
        "grams-per-kwh", \.gramsPerKilowattHour, .number(.atLeast(0)),
        "Grams of CO₂ for each kilowatt-hour, in place of a country's figure."),
      .optional(
        "watts-per-core", \.wattsPerCore, .number(.above(0)),
        "Power at full load for each core, where it is not measured (see [energy.md](energy.md)). If absent, that of "
          + "processors of the kind."),
    ])
}
