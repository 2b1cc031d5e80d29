import Pando

/// As many linear layers as there are experts, each on tokens of its own.
///
/// Input `[experts, samples, slots, inputs]`, output `[experts, samples, slots, outputs]`.
public struct ExpertLinear: PureLayer {
  /// `[experts, outputs, inputs]`
  public let weight: Parameter
  /// `[experts, outputs]`
  public let bias: Parameter
  private let site: Site

  /// Layers from `inputs` to `outputs` features.
  ///
  /// - Parameters:
  ///   - axes: names of the outputs and the inputs for parallel strategies; experts are called `expert`.
  ///   - initializer: how each expert's weight begins, the bias then beginning as zeros; as `Linear` unless given.
  ///   - growth: how much wider the layer is than in a base model.
  public init(
    _ experts: Int, _ inputs: Int, _ outputs: Int, axes: [String?], initializer: Initializer? = nil,
    growth: WidthGrowth = .none, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      experts > 0 && inputs > 0 && outputs > 0,
      "ExpertLinear(\(experts), \(inputs), \(outputs)) needs an expert, an input and an output")
    weight = Parameter(
      [experts, outputs, inputs], initializer ?? .fanIn(inputs), axes: ["expert"] + axes, growth: growth,
      dtype: dtype)
    bias = Parameter(
      [experts, outputs], initializer == nil ? .fanIn(Double(inputs) / growth.inputs) : .zeros,
      role: .unregularized, axes: ["expert", axes[0]], growth: growth.bias, dtype: dtype)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = einsum("ebci,eoi->ebco", x, weight.tensor, file: site.file, line: site.line)
    if y.failure != nil { return y }
    return y + bias.tensor.reshape(y.size(0), 1, 1, y.size(3))
  }
}

/// Several feed-forward layers, of which each token goes through a few: more parameters for the same arithmetic (Shazeer
/// et al. 2017, arXiv:1701.06538; see `ExpertRouting` for who goes where).
///
/// Input and output `[batch, time, features]`. A token that finds all its experts full comes out as zeros, so that where
/// the layer is a branch, as in a transformer block, the token passes by. In training the layer tells the context two
/// losses, `balance` and `router-z`, which are to be added to the model's, and two figures, `balance_loss` and
/// `dropped_share`. Where samples are spread over the ranks of an
/// axis `expert`, so are the experts: tokens are exchanged before and behind them.
public struct MixtureOfExperts: Layer {
  /// How many experts there are and who goes where.
  public struct Options: Hashable, Sendable {
    /// How many experts there are.
    public var count: Int
    /// How many of them each token goes to.
    public var top: Int
    /// How many times as many tokens an expert takes as an even split would give it; others are dropped.
    public var capacity: Double
    /// The weight of the loss that is least where all experts are used evenly; 0 for none.
    public var balance: Double
    /// The weight of the loss that keeps the router's logits small; 0 for none.
    public var routerZ: Double

    /// Options; the defaults are those of GShard and ST-MoE.
    public init(
      count: Int, top: Int = 2, capacity: Double = 1.25, balance: Double = 0.01, routerZ: Double = 0.001
    ) {
      self.count = count
      self.top = top
      self.capacity = capacity
      self.balance = balance
      self.routerZ = routerZ
    }
  }

  /// From features to a score for each expert.
  public let router: Linear
  /// To the hidden features.
  public let up: ExpertLinear
  /// Back.
  public let down: ExpertLinear
  private let options: Options
  private let activation: Activation
  private let site: Site

  /// Experts of `features` inputs and outputs and `hidden` features between.
  ///
  /// - Parameters:
  ///   - initializer: of the weights but those of `down`; as of `Linear` unless given.
  ///   - growth: how much wider inputs, outputs and hidden features are than in a base model.
  public init(
    _ features: Int, hidden: Int, _ options: Options, activation: Activation = .gelu,
    initializer: Initializer? = nil, residualInitializer: Initializer? = nil, growth: Double = 1,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      options.count > 0 && (1...options.count).contains(options.top) && options.capacity > 0,
      "\(options) sends each token to 1 to all of the experts, which have room for some")
    let wide = WidthGrowth(inputs: growth, outputs: growth)
    router = Linear(
      features, options.count, bias: false, axes: [nil, "embed"], initializer: initializer,
      growth: WidthGrowth(inputs: growth, outputs: 1), dtype: dtype, file: file, line: line)
    up = ExpertLinear(
      options.count, features, hidden, axes: ["mlp", "embed"], initializer: initializer, growth: wide,
      dtype: dtype, file: file, line: line)
    down = ExpertLinear(
      options.count, hidden, features, axes: ["embed", "mlp"], initializer: residualInitializer, growth: wide,
      dtype: dtype, file: file, line: line)
    self.options = options
    self.activation = activation
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    guard x.failure == nil, x.rank == 3 else {
      return .failed(
        "mixture_of_experts", "takes [batch, time, features], got \(x.type)",
        like: x.failure == nil ? router.weight.tensor : x, file: site.file, line: site.line)
    }
    let logits = router(x)
    if logits.failure != nil { return logits }
    let routing = ExpertRouting(logits, top: options.top, capacity: options.capacity)
    if context.isTraining {
      let balance = routing.balanceLoss
      context.report("balance_loss", balance)
      context.report("dropped_share", routing.droppedShare)
      if options.balance > 0 {
        context.add(AuxiliaryLoss("balance", balance, weight: options.balance))
      }
      if options.routerZ > 0 {
        context.add(AuxiliaryLoss("router-z", routing.logitLoss, weight: options.routerZ))
      }
    }
    let (batch, time, features) = (x.size(0), x.size(1), x.size(2))
    let (count, slots) = (options.count, routing.slots)
    let sent = x.take(routing.tokens, 1, sharing: 1).reshape(batch, count, slots, features)
    // Every rank has all experts' slots of its own samples, then all samples' slots of its own experts.
    let received = sent.permute(1, 0, 2, 3).named(nil, "samples", nil, nil)
      .named("expert", "samples", nil, nil)
    let answers = down(activation(up(received))).named("expert", "samples", nil, nil)
      .named(nil, "samples", nil, nil)
    let taken = answers.permute(1, 0, 2, 3).reshape(batch, count * slots, features)
      .take(routing.places, 1, sharing: 1)
    let weighted = taken * routing.weights.unsqueeze(-1).broadcast(to: taken.shape)
    return weighted.reshape(batch, options.top, time, features).sum([1])
  }
}
