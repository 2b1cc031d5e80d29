/// What ranks tell each other, and how often.
extension Recipe {
  /// In what form ranks add up their gradients.
  public enum GradientForm: Hashable, Sendable {
    /// As they are.
    case float32
    /// Rounded to bfloat16: half the bytes.
    case bf16
    /// The largest elements only.
    case topK(TopK)
    /// Products of two thin matrices.
    case powerSGD(PowerSGD)

    /// The largest elements by magnitude; what is left out is added to the next step's gradient (Stich et al. 2018,
    /// "Sparsified SGD with memory", arXiv:1809.07599).
    public struct TopK: Hashable, Sendable {
      /// The share of all elements that is sent.
      public var density = 0.01

      /// One element in a hundred.
      public init() {}
    }

    /// Approximations of low rank; what they miss is added to the next step's gradient (Vogels et al. 2019,
    /// arXiv:1905.13727).
    public struct PowerSGD: Hashable, Sendable {
      /// Columns of the two matrices.
      public var rank = 4

      /// Rank 4.
      public init() {}
    }
  }

  /// Whether ranks train on their own for a while before they tell each other.
  public enum LocalSteps: Hashable, Sendable {
    /// They add up the gradients of each step.
    case none
    /// After some steps their weights become the mean of all ranks'.
    case average(Average)
    /// After some steps the mean of what has changed is the gradient of another optimizer.
    case diloco(DiLoCo)

    /// Local SGD (Stich 2018, arXiv:1805.09767).
    public struct Average: Hashable, Sendable {
      /// Steps between two exchanges.
      public var steps = 10

      /// Ten steps.
      public init() {}
    }

    /// DiLoCo (Douillard et al. 2023, arXiv:2311.08105): an outer optimizer, descent with Nesterov's momentum.
    public struct DiLoCo: Hashable, Sendable {
      /// Steps between two exchanges.
      public var steps = 50
      /// The outer optimizer's learning rate.
      public var learningRate = 0.7
      /// The share of the outer optimizer's last step that is kept.
      public var momentum = 0.9

      /// The paper's constants, but a shorter round.
      public init() {}
    }

    /// Steps from one exchange to the next; `nil` where gradients are added up in each step.
    public var interval: Int? {
      switch self {
      case .none: nil
      case .average(let average): average.steps
      case .diloco(let diloco): diloco.steps
      }
    }
  }
}

extension Recipe.Parallel {
  /// Whether ranks exchange in a way that changes what is computed, so that even one rank alone must go by it.
  var changesTraining: Bool { gradients != .float32 || local != .none }
}

extension Recipe.GradientForm {
  package static let section = Section<Self>(
    blank: .float32,
    variants: Variants(
      key: "kind", isRequired: false,
      [
        Variant(
          "float32", "Gradients are added up as they are.", blank: Nothing(),
          embed: { (form, _) in form = .float32 }, extract: { $0 == .float32 ? Nothing() : nil }, []),
        Variant(
          "bf16", "Rounded to bfloat16, added up in float32: half the bytes.", blank: Nothing(),
          embed: { (form, _) in form = .bf16 }, extract: { $0 == .bf16 ? Nothing() : nil }, []),
        Variant(
          "top-k", "The largest elements; the rest is added to the next step's gradient.", blank: TopK(),
          embed: { $0 = .topK($1) }, extract: { if case .topK(let payload) = $0 { payload } else { nil } },
          [
            .key(
              "density", \.density, .number(Bounds(lower: 0, lowerIsAllowed: false, upper: 1)),
              "The share of all elements that is sent.")
          ]),
        Variant(
          "power-sgd",
          "Each matrix as a product of two thin ones; what that misses is added to the next step's gradient.",
          blank: PowerSGD(), embed: { $0 = .powerSGD($1) },
          extract: { if case .powerSGD(let payload) = $0 { payload } else { nil } },
          [.key("rank", \.rank, .integer(1...256), "Columns of the thin matrices.")]),
      ]), [])
}

extension Recipe.LocalSteps {
  private static let stepsText =
    "Steps between two exchanges. Evaluations and checkpoints fall on multiples of it."

  package static let section = Section<Self>(
    blank: .none,
    variants: Variants(
      key: "kind", isRequired: false,
      [
        Variant(
          "none", "The gradients of each step are added up.", blank: Nothing(),
          embed: { (local, _) in local = .none }, extract: { $0 == .none ? Nothing() : nil }, []),
        Variant(
          "average",
          "Local SGD: after some steps of its own, each rank takes the mean of all ranks' weights.",
          blank: Average(), embed: { $0 = .average($1) },
          extract: { if case .average(let payload) = $0 { payload } else { nil } },
          [.key("steps", \.steps, .integer(1...(1 << 30)), stepsText)]),
        Variant(
          "diloco",
          "DiLoCo: the mean of what some steps have changed is the gradient of an outer optimizer, descent with "
            + "Nesterov's momentum.",
          blank: DiLoCo(), embed: { $0 = .diloco($1) },
          extract: { if case .diloco(let payload) = $0 { payload } else { nil } },
          [
            .key("steps", \.steps, .integer(1...(1 << 30)), stepsText),
            .key("learning-rate", \.learningRate, .number(.above(0)), "The outer optimizer's learning rate."),
            .key(
              "momentum", \.momentum, .number(.within(0.0..<1.0)),
              "Share of the outer optimizer's last step kept."),
          ]),
      ]), [])
}

/// What a kind without keys of its own holds.
private struct Nothing: Sendable {}
