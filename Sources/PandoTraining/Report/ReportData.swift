/// Everything that a run's report shows.
public struct ReportData: Sendable {
  /// The run's name.
  public var name: String
  /// One line below it: model, data, device.
  public var subtitle: String
  /// What a reader should know first, such as that the run was stopped early.
  public var note: String?
  /// The figures at the top.
  public var figures: [Figure] = []
  /// The run's records, in their order; the curves are drawn from them.
  public var rows: [MetricsRow] = []
  /// What was measured on held-out samples.
  public var metric: Recipe.Metric
  /// How good the metric should get.
  public var target: Double?
  /// The recipe as YAML.
  public var recipe: String
  /// What the run was planned to need.
  public var plan: Plan?
  /// For classification: how often each class was taken for each.
  public var confusion: ConfusionMatrix?
  /// Held-out images that were taken for something else.
  public var mistakes: [Mistake] = []
  /// Texts that the model wrote.
  public var samples: [TextSample] = []

  /// A report without curves, to be filled in.
  public init(name: String, subtitle: String, metric: Recipe.Metric, recipe: String) {
    self.name = name
    self.subtitle = subtitle
    self.metric = metric
    self.recipe = recipe
  }

  /// A figure at the top: `Accuracy`, `92.71 %`, `best 92.80 % at step 4,000`.
  public struct Figure: Sendable {
    /// What it is.
    public var label: String
    /// The figure with its unit.
    public var value: String
    /// A smaller line below it.
    public var detail: String?

    /// A figure.
    public init(_ label: String, _ value: String, detail: String? = nil) {
      (self.label, self.value, self.detail) = (label, value, detail)
    }
  }

  /// The memory plan and other figures known before the run.
  public struct Plan: Sendable {
    /// Bytes by purpose, in the order of the bar.
    public var parts: [Part]
    /// The most bytes that a step was seen to use.
    public var measuredBytes: Int?
    /// The recipe's limit.
    public var limitBytes: Int?
    /// Other facts: label and text.
    public var facts: [Figure]

    /// A plan.
    public init(parts: [Part], measuredBytes: Int? = nil, limitBytes: Int? = nil, facts: [Figure] = []) {
      (self.parts, self.measuredBytes, self.limitBytes, self.facts) = (
        parts, measuredBytes, limitBytes, facts
      )
    }

    /// Bytes for one purpose.
    public struct Part: Sendable {
      /// The purpose.
      public var name: String
      /// How many.
      public var bytes: Int

      /// Bytes for one purpose.
      public init(_ name: String, bytes: Int) { (self.name, self.bytes) = (name, bytes) }
    }
  }

  /// How often each class was taken for each.
  public struct ConfusionMatrix: Sendable {
    /// The classes' names.
    public var classes: [String]
    /// `counts[true][predicted]`.
    public var counts: [[Int]]

    /// A square matrix, one row a true class.
    public init(classes: [String], counts: [[Int]]) {
      precondition(counts.count == classes.count && counts.allSatisfy { $0.count == classes.count })
      (self.classes, self.counts) = (classes, counts)
    }
  }

  /// An image that was taken for something else.
  public struct Mistake: Sendable {
    /// What was shown.
    public var image: Image
    /// The class it is of.
    public var truth: String
    /// The class it was taken for.
    public var prediction: String
    /// The probability given to that class.
    public var confidence: Double?

    /// A mistake.
    public init(image: Image, truth: String, prediction: String, confidence: Double? = nil) {
      (self.image, self.truth, self.prediction, self.confidence) = (image, truth, prediction, confidence)
    }
  }

  /// A small image of bytes.
  public struct Image: Sendable {
    /// Columns and rows.
    public var width: Int, height: Int
    /// 1 for grey, 3 for red, green and blue.
    public var channels: Int
    /// `height × width × channels` values, row by row, the channels of a pixel side by side.
    public var pixels: [UInt8]

    /// An image; the count of `pixels` must fit.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
      precondition(width > 0 && height > 0 && (channels == 1 || channels == 3))
      precondition(pixels.count == width * height * channels)
      (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
    }
  }

  /// A text that the model wrote.
  public struct TextSample: Sendable {
    /// What it was given.
    public var prompt: String
    /// What it went on with.
    public var text: String
    /// How it was drawn: `temperature 0.8`.
    public var settings: String?

    /// A text.
    public init(prompt: String, text: String, settings: String? = nil) {
      (self.prompt, self.text, self.settings) = (prompt, text, settings)
    }
  }
}
