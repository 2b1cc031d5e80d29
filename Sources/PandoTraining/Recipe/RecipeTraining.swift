extension Recipe {
  /// How the network is trained. A *step* is one update of the weights.
  public struct Training: Hashable, Sendable {
    /// Passes over the examples; exactly one of this and `steps` is set.
    public var epochs: Int?
    /// Updates of the weights.
    public var steps: Int?
    /// Batches whose gradients are averaged for one step.
    public var accumulate = 1
    /// The update rule.
    public var optimizer = Optimizer()
    /// The learning rate over the steps.
    public var schedule = Schedule()
    /// Gradients are scaled so that their joint Euclidean norm is at most this.
    public var clipNorm: Double?
    /// Each element of a gradient is limited to plus and minus this.
    public var clipValue: Double?
    /// Share of the target probability spread evenly over all classes.
    public var labelSmoothing = 0.0
    /// The numbers that are computed with.
    public var precision = Precision.float32
    /// The most bytes that the run may use. Absent means no limit.
    public var memory: Int?
    /// What a step computes again to keep less.
    public var recompute = Recompute.auto
    /// What lies in files in place of memory.
    public var offload = Offload()
    /// Threads of one rank; absent means one for each core.
    public var threads: Int?
    /// When held-out examples are measured.
    public var evaluate = Evaluation()

    /// The defaults; neither epochs nor steps.
    public init() {}
  }

  /// The numbers that are computed with.
  public enum Precision: String, CaseIterable, Hashable, Sendable {
    case float32, bf16, exact
  }

  /// What a step computes again to keep less; the weights are the same to the bit.
  public enum Recompute: String, CaseIterable, Hashable, Sendable {
    /// Nothing.
    case none
    /// All but what goes from one layer to the next.
    case blocks
    /// All but what goes from one group of layers to the next.
    case sqrt
    /// As little as fits into `memory`; nothing where there is no limit.
    case auto
  }

  /// What lies in files in place of memory; the weights are the same to the bit.
  public struct Offload: Hashable, Sendable {
    /// Whether the optimizer's tensors do.
    public var state = false
    /// Whether what a step's first half keeps for its second may.
    public var activations = false
    /// Where the files lie; absent means the run's folder.
    public var folder: String?
    /// Whether the system's cache may keep what is not at work.
    public var cached = true

    /// Nothing.
    public init() {}

    /// Whether anything does.
    public var isEmpty: Bool { !state && !activations }
  }

  /// When held-out examples are measured.
  public struct Evaluation: Hashable, Sendable {
    /// Steps between two evaluations; absent means one after each epoch.
    public var every: Int?

    /// After each epoch.
    public init() {}
  }

  /// How gradients become updates.
  public struct Optimizer: Hashable, Sendable {
    /// The rule and its constants.
    public var rule = Rule.adamw(AdamW())
    /// The peak learning rate.
    public var learningRate = 1e-3
    /// Whether weight decay also pulls on norms' scales and on biases.
    public var decayNormsAndBiases = false

    /// AdamW at 1e-3.
    public init() {}

    /// An update rule.
    public enum Rule: Hashable, Sendable {
      case sgd(SGD)
      case adam(Adam)
      case adamw(AdamW)
    }

    /// Stochastic gradient descent.
    public struct SGD: Hashable, Sendable {
      /// Added to the gradient, times the weight.
      public var weightDecay = 0.0
      /// Share of the last update kept.
      public var momentum = 0.0
      /// Whether the gradient is taken ahead of the momentum.
      public var nesterov = false

      /// Plain descent.
      public init() {}
    }

    /// Adam (Kingma and Ba 2014, arXiv:1412.6980).
    public struct Adam: Hashable, Sendable {
      /// Added to the gradient, times the weight.
      public var weightDecay = 0.0
      /// Decay of the gradient's running mean.
      public var beta1 = 0.9
      /// Decay of the squared gradient's running mean.
      public var beta2 = 0.999
      /// Added to the denominator.
      public var epsilon = 1e-8
      /// What the two running means are kept in.
      public var state = State.float32

      /// The paper's constants.
      public init() {}
    }

    /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101).
    public struct AdamW: Hashable, Sendable {
      /// Share of each weight taken away in a step, times the learning rate.
      public var weightDecay = 0.01
      /// Decay of the gradient's running mean.
      public var beta1 = 0.9
      /// Decay of the squared gradient's running mean.
      public var beta2 = 0.999
      /// Added to the denominator.
      public var epsilon = 1e-8
      /// What the two running means are kept in.
      public var state = State.float32

      /// The usual constants.
      public init() {}
    }

    /// What an optimizer's running means are kept in.
    public enum State: String, CaseIterable, Hashable, Sendable {
      case float32
      /// Rounded at random, in half the bytes.
      case bf16
    }

    /// The rule's weight decay.
    public var weightDecay: Double {
      switch rule {
      case .sgd(let rule): rule.weightDecay
      case .adam(let rule): rule.weightDecay
      case .adamw(let rule): rule.weightDecay
      }
    }
  }

  /// The learning rate over the steps.
  public struct Schedule: Hashable, Sendable {
    /// Its course after the warm-up.
    public var course = Course.constant(Constant())
    /// Steps over which the learning rate first rises in a line from 0 to its peak.
    public var warmup = 0

    /// Constant.
    public init() {}

    /// The course after the warm-up.
    public enum Course: Hashable, Sendable {
      case constant(Constant)
      case linear(Decay)
      case cosine(Decay)
      case step(Staircase)
      case oneCycle(OneCycle)
    }

    /// The peak to the end.
    public struct Constant: Hashable, Sendable {
      /// No settings.
      public init() {}
    }

    /// Falls to a share of the peak at the last step.
    public struct Decay: Hashable, Sendable {
      /// That share.
      public var final = 0.0

      /// To zero.
      public init() {}
    }

    /// Falls by a factor now and then.
    public struct Staircase: Hashable, Sendable {
      /// Steps between falls.
      public var every = 1
      /// The factor.
      public var gamma = 0.1

      /// By ten at each step; set `every`.
      public init() {}
    }

    /// Rises and falls along half cosines (Smith and Topin 2017, arXiv:1708.07120).
    public struct OneCycle: Hashable, Sendable {
      /// The learning rate at the last step as a share of the peak.
      public var final = 1e-4
      /// Share of the run in which it rises, where there is no warm-up.
      public var rise = 0.3

      /// Three tenths of rise.
      public init() {}
    }
  }
}
