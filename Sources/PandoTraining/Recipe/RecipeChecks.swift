import PandoEnergy
import PandoIR

/// Rules that hold between keys, checked once every key by itself is right.
extension Recipe {
  /// Fills in what follows from other keys, and throws where keys contradict each other.
  ///
  /// - Parameter tree: the recipe as written, for the places of errors; absent for a recipe built in code.
  package mutating func resolve(_ tree: RecipeNode? = nil) throws(RecipeError) {
    if model.readsText {
      data.unit = data.unit ?? .character
      guard data.context != nil else {
        throw fault("data.context", tree, "missing; model.kind gpt needs the number of tokens in one example")
      }
      if data.normalize != .off {
        throw fault("data.normalize", tree, "text cannot be normalized; remove the key")
      }
      if data.augment != Augmentation() {
        throw fault("data.augment", tree, "text has no image augmentation; remove the key")
      }
    } else {
      let reason = "for text only; remove the key, or choose model.kind gpt"
      if data.unit != nil { throw fault("data.unit", tree, reason) }
      if data.context != nil { throw fault("data.context", tree, reason) }
      if objective.metric == .bitsPerCharacter || objective.metric == .perplexity {
        throw fault("objective.metric", tree, "for text only; expected accuracy or loss")
      }
    }
    objective.metric = objective.metric ?? (model.readsText ? .bitsPerCharacter : .accuracy)
    try checkModel(tree)
    try checkEnergy(tree)
    if case .sgd(let rule) = train.optimizer.rule, rule.nesterov, rule.momentum == 0 {
      throw fault("train.optimizer.nesterov", tree, "needs momentum above 0, got 0")
    }
    try checkTraffic(tree)
    try checkOffload(tree)
  }

  private func checkOffload(_ tree: RecipeNode?) throws(RecipeError) {
    let offload = train.offload
    if offload.isEmpty, offload.folder != nil || !offload.cached {
      throw fault(
        "train.offload.\(offload.folder == nil ? "cached" : "folder")", tree,
        "nothing is offloaded; set train.offload.state or train.offload.activations to true, or remove the key"
      )
    }
    guard offload.activations, parallel.axes.contains(where: { $0.name == "pipeline" && $0.size > 1 }) else {
      return
    }
    throw fault(
      "train.offload.activations", tree,
      "the stages of a pipeline keep their activations in memory; use more micro-batches, or train.recompute: blocks"
    )
  }

  private func checkTraffic(_ tree: RecipeNode?) throws(RecipeError) {
    if reproducible, parallel.changesTraining {
      let key = parallel.local == .none ? "parallel.gradients" : "parallel.local"
      throw fault(
        key, tree, "a reproducible run adds up whole gradients after each step; remove one of the two")
    }
    guard let interval = parallel.local.interval else { return }
    for (key, every) in [
      ("train.evaluate.every", train.evaluate.every), ("checkpoint.every", checkpoint.every),
    ] {
      guard let every, !every.isMultiple(of: interval) else { continue }
      let nearest = max(1, (every + interval / 2) / interval) * interval
      throw fault(
        key, tree,
        "the ranks' weights are one only after every \(interval) steps (parallel.local.steps), and \(every) is no "
          + "multiple of that; the nearest is \(nearest)")
    }
  }

  private func checkEnergy(_ tree: RecipeNode?) throws(RecipeError) {
    guard let country = energy.country else { return }
    if energy.gramsPerKilowattHour != nil {
      throw fault("energy.country", tree, "expected only one of country and grams-per-kwh; remove one")
    }
    guard CarbonIntensity(country: country) == nil else { return }
    let near = nearestName(to: country, among: CarbonIntensity.countries).map { "did you mean '\($0)'?" }
    throw fault(
      "energy.country", tree,
      "no country of the table is called '\(country)'; "
        + (near ?? "give its figure as energy.grams-per-kwh"))
  }

  private func checkModel(_ tree: RecipeNode?) throws(RecipeError) {
    func divides(_ heads: Int, _ width: Int) throws(RecipeError) {
      guard width % heads == 0 else {
        throw fault("model.heads", tree, "expected a divisor of model.width \(width), got \(heads)")
      }
    }
    func widths(
      _ parametrization: Model.Parametrization, _ base: Int?, _ heads: Int? = nil
    ) throws(RecipeError) {
      if parametrization == .mup, base == nil {
        throw fault("model.base-width", tree, "missing; parametrization mup needs the width that was tuned")
      }
      for (key, value) in [("base-width", base), ("base-heads", heads)]
      where parametrization != .mup && value != nil {
        throw fault("model.\(key)", tree, "for parametrization mup only; remove the key, or choose mup")
      }
    }
    switch model {
    case .mlp(let model): try widths(model.parametrization, model.baseWidth)
    case .vit(let model):
      try divides(model.heads, model.width)
      try widths(model.parametrization, model.baseWidth, model.baseHeads)
    case .gpt(let model):
      try widths(model.parametrization, model.baseWidth, model.baseHeads)
      try divides(model.heads, model.width)
      if let shared = model.keyValueHeads, model.heads % shared != 0 {
        throw fault("model.kv-heads", tree, "expected a divisor of model.heads \(model.heads), got \(shared)")
      }
      if let experts = model.experts {
        guard experts.top <= experts.count else {
          throw fault(
            "model.experts.top", tree,
            "a token goes to at most all \(experts.count) experts, got \(experts.top)")
        }
        guard experts.every <= model.layers else {
          throw fault(
            "model.experts.every", tree,
            "of \(model.layers) blocks none would have experts, got \(experts.every); the most is \(model.layers)"
          )
        }
      }
      if model.rotary, model.width / model.heads % 2 != 0 {
        throw fault(
          "model.rotary", tree,
          "needs an even number of features a head, got \(model.width / model.heads) (width \(model.width), "
            + "heads \(model.heads))")
      }
    case .residualMLP, .cnn, .resnet: break
    }
  }

  /// An error at a key, or at the nearest key above it that was written.
  private func fault(_ keyPath: String, _ tree: RecipeNode?, _ message: String) -> RecipeError {
    let keys = keyPath.split(separator: ".").map(String.init)
    for length in stride(from: keys.count, through: 1, by: -1) {
      if let node = tree?.node(at: keys.prefix(length)) {
        return RecipeError(keyPath, at: node.origin, message)
      }
    }
    return RecipeError(keyPath, at: nil, message)
  }
}
