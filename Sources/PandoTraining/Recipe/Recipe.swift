/// What to train, on what, how, and until when: the content of a recipe file, every default filled in.
///
/// Property by property this is the YAML of a recipe; `docs/recipe.md` explains the keys.
public struct Recipe: Hashable, Sendable {
  /// The run's name, and that of its folder.
  public var name = ""
  /// From which every random number of the run follows.
  public var seed = 0
  /// Whether the weights are bit-identical on any number of ranks.
  public var reproducible = false
  /// The examples.
  public var data = Dataset()
  /// The network.
  public var model = Model.mlp(Model.MLP())
  /// What counts as good.
  public var objective = Objective()
  /// How it is trained.
  public var train = Training()
  /// How it is spread.
  public var parallel = Parallel()
  /// When it is saved.
  public var checkpoint = Checkpoint()
  /// What is known of its energy.
  public var energy = Energy()

  /// An empty recipe, to be filled in.
  public init() {}
}

extension Recipe {
  /// Where the examples come from and how they are prepared.
  public struct Dataset: Hashable, Sendable {
    /// A dataset's name, or the path of a file or folder.
    public var source = ""
    /// What one token of text is; absent for anything but text.
    public var unit: Unit?
    /// Tokens in one example of text.
    public var context: Int?
    /// Examples in one step, over all ranks, before accumulation.
    public var batch = 32
    /// Whether each epoch has an order of its own.
    public var shuffle = true
    /// Batches prepared ahead.
    public var prefetch = 4
    /// What is held out, where the source has no test split of its own.
    public var validation: Validation?
    /// How inputs are shifted and scaled.
    public var normalize = Normalization.off
    /// Random changes to training images.
    public var augment = Augmentation()
    /// The column of a CSV file that holds the class.
    public var label: String?

    /// The defaults.
    public init() {}
  }

  /// What one token of text is.
  public enum Unit: String, CaseIterable, Hashable, Sendable {
    case character, byte
  }

  /// Which examples are held out.
  public enum Validation: Hashable, Sendable {
    /// This share of the examples, above 0 and below 1.
    case fraction(Double)
    /// The split of this name.
    case split(String)
  }

  /// How inputs are shifted and scaled.
  public enum Normalization: Hashable, Sendable {
    /// Not at all.
    case off
    /// To mean 0 and deviation 1, as measured on the training examples.
    case measured
    /// By one mean and one deviation a channel, in units of the input scaled to 0...1.
    case fixed(mean: [Double], deviation: [Double])
  }

  /// Random changes to training images.
  public struct Augmentation: Hashable, Sendable {
    /// Pixels of zeros put around an image before a window of the old size is cut at random; 0 for none.
    public var crop = 0
    /// Whether every other image is mirrored left to right.
    public var flip = false

    /// No change.
    public init() {}
  }

  /// What counts as good.
  public struct Objective: Hashable, Sendable {
    /// What is measured on the held-out examples; a loaded recipe always has it.
    public var metric: Metric?
    /// Training stops once the metric is this good.
    public var target: Double?
    /// Training stops after this many evaluations without a better one.
    public var patience: Int?

    /// Accuracy or bits per character, without early stopping.
    public init() {}
  }

  /// A figure measured on held-out examples.
  public enum Metric: String, CaseIterable, Hashable, Sendable {
    case accuracy, loss
    case bitsPerCharacter = "bits-per-character"
    case perplexity

    /// Whether more is better.
    public var isHigherBetter: Bool { self == .accuracy }
  }

  /// How the model is spread.
  public struct Parallel: Hashable, Sendable {
    /// Whether the fastest way that fits into memory is to be found before the run: `parallel: auto`. All else then counts
    /// for nothing.
    public var isAutomatic = false
    /// The mesh's axes, outermost first; empty means one axis `data` over all ranks.
    public var axes: [Axis] = []
    /// The parts of a batch in a reproducible run; absent means the largest divisor of the batch up to 16.
    public var shards: Int?
    /// In what form ranks add up their gradients, or with `local` what has changed.
    public var gradients = GradientForm.float32
    /// Whether ranks train on their own for a while.
    public var local = LocalSteps.none
    /// What is cut over the ranks of different samples only to be kept: 1 the optimizer's tensors, 2 gradients too,
    /// 3 parameters too; absent means 3 where there is an axis `fsdp`, 0 otherwise.
    public var zero: Int?
    /// Along which mesh axis dimensions of parameters are cut, by their names; empty means `heads` and `mlp` along
    /// `tensor`.
    public var names: [NamedAxis] = []
    /// How the stages of a pipeline work together.
    public var pipeline = Pipeline()

    /// Data parallelism over all ranks.
    public init() {}
  }

  /// The mesh axis along which a name's dimensions are cut.
  public struct NamedAxis: Hashable, Sendable {
    /// What parameters call the dimension: `mlp`.
    public var name: String
    /// The mesh axis: `tensor`.
    public var axis: String

    /// A name and its axis.
    public init(name: String, axis: String) {
      self.name = name
      self.axis = axis
    }
  }

  /// One axis of the mesh.
  public struct Axis: Hashable, Sendable {
    /// `data`, `tensor`, …
    public var name: String
    /// Ranks along it.
    public var size: Int

    /// An axis of `size` ranks.
    public init(name: String, size: Int) {
      self.name = name
      self.size = size
    }
  }

  /// What is known of the energy that the run takes.
  public struct Energy: Hashable, Sendable {
    /// The country whose electricity it takes, as a code or name of `CarbonIntensity.countries`.
    public var country: String?
    /// Grams of CO₂ for each kilowatt-hour, in place of a country's figure.
    public var gramsPerKilowattHour: Double?
    /// Watts for each core at full load, for the model of the processor.
    public var wattsPerCore: Double?

    /// The world's mean, and the table of processors.
    public init() {}
  }

  /// When the run is saved.
  public struct Checkpoint: Hashable, Sendable {
    /// Steps between two checkpoints; absent means one at each evaluation.
    public var every: Int?
    /// How many of the latest stay, beside the best.
    public var keep = 2
    /// Whether a copy is written while training goes on; otherwise training stands still.
    public var background = true

    /// One at each evaluation, two of them kept.
    public init() {}
  }
}
