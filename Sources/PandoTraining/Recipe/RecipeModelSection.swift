extension Recipe.Model {
  package static let section = Section<Self>(
    blank: .mlp(MLP()),
    variants: Variants(
      key: "kind", isRequired: true,
      [
        Variant(
          "mlp", "Fully connected layers.", blank: MLP(), embed: { $0 = .mlp($1) },
          extract: { if case .mlp(let payload) = $0 { payload } else { nil } }, mlpKeys),
        Variant(
          "residual-mlp", "Fully connected layers with short cuts, for tables; at any depth.",
          blank: ResidualMLP(), embed: { $0 = .residualMLP($1) },
          extract: { if case .residualMLP(let payload) = $0 { payload } else { nil } }, residualMLPKeys),
        Variant(
          "cnn", "Convolutions of 3×3 with pooling, then a dense layer.", blank: CNN(),
          embed: { $0 = .cnn($1) },
          extract: { if case .cnn(let payload) = $0 { payload } else { nil } }, cnnKeys),
        Variant(
          "resnet", "Residual network.", blank: ResNet(), embed: { $0 = .resnet($1) },
          extract: { if case .resnet(let payload) = $0 { payload } else { nil } }, resnetKeys),
        Variant(
          "vit", "Vision transformer.", blank: ViT(), embed: { $0 = .vit($1) },
          extract: { if case .vit(let payload) = $0 { payload } else { nil } }, vitKeys),
        Variant(
          "gpt", "Decoder-only transformer, for text.", blank: GPT(), embed: { $0 = .gpt($1) },
          extract: { if case .gpt(let payload) = $0 { payload } else { nil } }, gptKeys),
      ]),
    [])

  private static let size = Codec<Int>.integer(1...(1 << 20))
  private static let share = Codec<Double>.number(.within(0.0..<1.0))

  private static let parametrizationText =
    "How it depends on the width; with `mup` the best learning rate does not (see [scaling.md](scaling.md))."
  private static let baseWidthText =
    "The width on which settings were tuned. With `mup` only, which needs it."

  private static let mlpKeys: [Field<MLP>] = [
    .key("hidden", \.hidden, .list(size, count: 0...1024), "Outputs of each hidden layer."),
    .key("activation", \.activation, .choice(), "The function after each hidden layer."),
    .key("dropout", \.dropout, share, "Share of hidden outputs dropped in training."),
    .key("parametrization", \.parametrization, .choice(), parametrizationText),
    .optional("base-width", \.baseWidth, size, baseWidthText),
  ]
  private static let residualMLPKeys: [Field<ResidualMLP>] = [
    .key("layers", \.layers, size, "Blocks, each with a norm and two linear layers."),
    .key("width", \.width, size, "Features from block to block."),
    .optional("hidden", \.hidden, size, "Features within a block. If absent, as `width`."),
    .key("activation", \.activation, .choice(), "The function within each block."),
    .key("dropout", \.dropout, share, "Share of each block's outputs dropped in training."),
  ]
  private static let cnnKeys: [Field<CNN>] = [
    .key("channels", \.channels, .list(size, count: 1...64), "Output channels of each convolution."),
    .key("dense", \.dense, size, "Outputs of the dense layer."),
    .key("dropout", \.dropout, share, "Share of the dense layer's outputs dropped in training."),
    .key("batch-norm", \.batchNorm, .boolean, "Whether a batch norm follows each convolution."),
  ]
  private static let resnetKeys: [Field<ResNet>] = [
    .key("depth", \.depth, .integer(among: [18, 34, 50, 101, 152]), "Layers with weights."),
    .key("form", \.form, .choice(), "First layers for small images (`cifar`) or large ones (`imagenet`)."),
    .key("width", \.width, size, "Channels of the first stage."),
  ]
  private static let vitKeys: [Field<ViT>] = [
    .key("patch", \.patch, size, "Side of a square patch in pixels."),
    .key("width", \.width, size, "Features of each position."),
    .key("layers", \.layers, size, "Blocks."),
    .key("heads", \.heads, size, "Attention heads; they divide the width."),
    .key("dropout", \.dropout, share, "Share of outputs dropped in training."),
    .key("parametrization", \.parametrization, .choice(), parametrizationText),
    .optional("base-width", \.baseWidth, size, baseWidthText),
    .optional("base-heads", \.baseHeads, size, "Heads of a model of the base width. If absent, as many."),
  ]
  private static let gptKeys: [Field<GPT>] = [
    .key("layers", \.layers, size, "Blocks."),
    .key("width", \.width, size, "Features of each position."),
    .key("heads", \.heads, size, "Attention heads; they divide the width."),
    .optional(
      "kv-heads", \.keyValueHeads, size, "Heads of keys and values, a divisor of `heads`. If absent, as many."
    ),
    .key("dropout", \.dropout, share, "Share of outputs dropped in training."),
    .key("rotary", \.rotary, .boolean, "Rotary positions in place of a learnt table."),
    .key("tied", \.tied, .boolean, "Whether the output layer is the embedding transposed."),
    .key("parametrization", \.parametrization, .choice(), parametrizationText),
    .optional("base-width", \.baseWidth, size, baseWidthText),
    .optional("base-heads", \.baseHeads, size, "Heads of a model of the base width. If absent, as many."),
    .optional(
      "experts", \.experts, .section(Experts.section),
      "Several feed-forward layers in place of one, of which each token goes through a few. If absent, one."),
  ]
}

extension Recipe.Model.Experts {
  package static let section = Section<Self>(
    blank: Self(),
    [
      .key("count", \.count, .integer(1...4096), "How many there are in a block."),
      .key("top", \.top, .integer(1...4096), "How many of them each token goes to; at most `count`."),
      .key(
        "capacity", \.capacity, .number(.above(0)),
        "How many times as many tokens of a sample an expert takes as an even split would give it; the others pass by."
      ),
      .key("every", \.every, .integer(1...(1 << 20)), "Every so many blocks have experts."),
      .key(
        "balance", \.balance, .number(.atLeast(0)),
        "Weight of the loss that is least where all experts are used evenly."),
      .key(
        "router-z", \.routerZ, .number(.atLeast(0)),
        "Weight of the loss that keeps the router's scores small."),
    ])
}
