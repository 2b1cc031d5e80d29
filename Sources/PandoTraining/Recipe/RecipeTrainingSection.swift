extension Recipe.Training {
  package static let section = Section<Self>(
    blank: Self(), alternatives: [["epochs", "steps"]],
    [
      .optional("epochs", \.epochs, .integer(1...(1 << 40)), "Passes over the training examples."),
      .optional("steps", \.steps, .integer(1...(1 << 50)), "Updates of the weights."),
      .key("accumulate", \.accumulate, .integer(1...(1 << 20)), "Batches whose gradients make one step."),
      .key("optimizer", \.optimizer, .section(Recipe.Optimizer.section), "How gradients become updates."),
      .key("schedule", \.schedule, .section(Recipe.Schedule.section), "The learning rate over the steps."),
      .optional("clip-norm", \.clipNorm, .number(.above(0)), "The largest joint norm of the gradients."),
      .optional("clip-value", \.clipValue, .number(.above(0)), "The largest element of a gradient."),
      .key(
        "label-smoothing", \.labelSmoothing, .number(.within(0.0..<1.0)),
        "Share of the target probability spread evenly over all classes."),
      .key(
        "precision", \.precision, .choice(),
        "`bf16` computes in mixed precision with float32 weights (see [precision.md](precision.md)); "
          + "`exact` leaves alone what trades accuracy for speed."),
      .optional(
        "memory", \.memory, .byteSize,
        "The most that the run may use: `8GiB`. With `recompute: auto`, activations are computed again to fit."
      ),
      .key(
        "recompute", \.recompute, .choice(),
        "What a step computes again to keep less: `none`, `blocks` (all but what goes from layer to layer), `sqrt` "
          + "(all but what goes from group to group of layers), or `auto`: as little as fits into `memory`."),
      .key(
        "offload", \.offload, .section(Recipe.Offload.section),
        "What lies in files in place of memory (see [memory.md](memory.md#offloading-to-a-file))."),
      .optional(
        "threads", \.threads, .integer(1...4096),
        "Threads of one rank. If absent, as many as `OMP_NUM_THREADS` says, or one for each core."),
      .key(
        "evaluate", \.evaluate, .section(Recipe.Evaluation.section), "When held-out examples are measured."),
    ])
}

extension Recipe.Offload {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .key(
        "state", \.state, .boolean,
        "Whether the optimizer's tensors lie in a file, and with `checkpoint.background` the copy of the state too."
      ),
      .key(
        "activations", \.activations, .boolean,
        "Whether what a step's first half keeps for its second, and gradients that wait for the update, go to a file."
      ),
      .optional(
        "folder", \.folder, .text,
        "Where the files lie, on a fast disk. If absent, the run's folder. They have no names and are gone with the "
          + "process."),
      .key(
        "cached", \.cached, .boolean,
        "Whether the system may keep in its cache what is not at work, as long as it has memory to spare. `false` writes "
          + "it to the disk at once and drops it."),
    ])
}

extension Recipe.Evaluation {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .optional(
        "every", \.every, .integer(1...Int.max),
        "Steps between two evaluations. If absent, one after each epoch.")
    ])
}

extension Recipe.Optimizer {
  package static let section = Section<Self>(
    blank: Self(),
    variants: Variants(
      key: "kind", isRequired: false,
      [
        Variant(
          "sgd", "Stochastic gradient descent.", blank: SGD(), embed: { $0.rule = .sgd($1) },
          extract: { if case .sgd(let payload) = $0.rule { payload } else { nil } }, sgdKeys),
        Variant(
          "adam", "Adam; weight decay is added to the gradient.", blank: Adam(),
          embed: { $0.rule = .adam($1) },
          extract: { if case .adam(let payload) = $0.rule { payload } else { nil } }, adamKeys),
        Variant(
          "adamw", "Adam with decoupled weight decay.", blank: AdamW(), embed: { $0.rule = .adamw($1) },
          extract: { if case .adamw(let payload) = $0.rule { payload } else { nil } }, adamwKeys),
      ]),
    [
      .key("learning-rate", \.learningRate, .number(.above(0)), "The peak learning rate."),
      .key(
        "decay-norms-and-biases", \.decayNormsAndBiases, .boolean,
        "Whether weight decay also pulls on norms' scales and on biases."),
    ])

  private static let decay = Codec<Double>.number(.atLeast(0))
  private static let belowOne = Codec<Double>.number(.within(0.0..<1.0))
  private static let decayText = "How strongly weights are pulled to zero."
  private static let stateText =
    "What the running means are kept in; `bf16` takes half the bytes and rounds at random (see "
    + "[precision.md](precision.md))."

  private static let sgdKeys: [Field<SGD>] = [
    .key("weight-decay", \.weightDecay, decay, decayText),
    .key("momentum", \.momentum, belowOne, "Share of the last update kept."),
    .key("nesterov", \.nesterov, .boolean, "Whether the gradient is taken ahead of the momentum."),
  ]
  private static let adamKeys: [Field<Adam>] = [
    .key("weight-decay", \.weightDecay, decay, decayText),
    .key("beta1", \.beta1, belowOne, "Decay of the gradient's running mean."),
    .key("beta2", \.beta2, belowOne, "Decay of the squared gradient's running mean."),
    .key("epsilon", \.epsilon, .number(.above(0)), "Added to the denominator."),
    .key("state", \.state, .choice(), stateText),
  ]
  private static let adamwKeys: [Field<AdamW>] = [
    .key("weight-decay", \.weightDecay, decay, decayText),
    .key("beta1", \.beta1, belowOne, "Decay of the gradient's running mean."),
    .key("beta2", \.beta2, belowOne, "Decay of the squared gradient's running mean."),
    .key("epsilon", \.epsilon, .number(.above(0)), "Added to the denominator."),
    .key("state", \.state, .choice(), stateText),
  ]
}

extension Recipe.Schedule {
  package static let section = Section<Self>(
    blank: Self(),
    variants: Variants(
      key: "kind", isRequired: false,
      [
        Variant(
          "constant", "The peak to the end.", blank: Constant(), embed: { $0.course = .constant($1) },
          extract: { if case .constant(let payload) = $0.course { payload } else { nil } }, []),
        Variant(
          "linear", "Falls in a line.", blank: Decay(), embed: { $0.course = .linear($1) },
          extract: { if case .linear(let payload) = $0.course { payload } else { nil } }, decayKeys),
        Variant(
          "cosine", "Falls along half a cosine.", blank: Decay(), embed: { $0.course = .cosine($1) },
          extract: { if case .cosine(let payload) = $0.course { payload } else { nil } }, decayKeys),
        Variant(
          "step", "Falls by a factor now and then.", blank: Staircase(), embed: { $0.course = .step($1) },
          extract: { if case .step(let payload) = $0.course { payload } else { nil } },
          [
            .required("every", \.every, .integer(1...Int.max), "Steps between falls."),
            .key("gamma", \.gamma, .number(.between(0, 1)), "The factor."),
          ]),
        Variant(
          "one-cycle", "Rises and falls along half cosines.", blank: OneCycle(),
          embed: { $0.course = .oneCycle($1) },
          extract: { if case .oneCycle(let payload) = $0.course { payload } else { nil } },
          [
            .key(
              "final", \.final, .number(.within(0.0...1.0)),
              "Learning rate at the last step, as a share of the peak."),
            .key(
              "rise", \.rise, .number(.between(0, 1)),
              "Share of the run in which it rises, without a warm-up."),
          ]),
      ]),
    [
      .key(
        "warmup", \.warmup, .integer(0...(1 << 50)), "Steps over which the learning rate first rises from 0.")
    ])

  private static let decayKeys: [Field<Decay>] = [
    .key(
      "final", \.final, .number(.within(0.0...1.0)), "Learning rate at the last step, as a share of the peak."
    )
  ]
}
