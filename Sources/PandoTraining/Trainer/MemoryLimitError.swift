import Pando

/// A run needs more memory than `train.memory`.
struct MemoryLimitError: Error {
  /// The least bytes with which it could do.
  let needed: Int

  /// What is wrong, for people: what it needs, and what would help.
  func advice(_ recipe: Recipe, task: TrainingTask, device: Device, ranks: Ranks) -> RecipeError {
    let limit = recipe.train.memory ?? 0
    let isLeast = recipe.train.recompute == .auto
    let mend =
      isLeast
      ? "allow that much, or use a smaller batch, and train.accumulate to keep the samples of a step"
      : "set train.recompute to auto, which computes again as much as it takes, or use a smaller batch"
    let offer = offer(recipe, task: task, device: device, ranks: ranks, limit: limit) ?? ""
    return RecipeError(
      keyPath: "train.memory",
      message:
        "the run needs \(needed) bytes\(isLeast ? " at least" : ""), the limit is \(limit); \(mend)\(offer)"
    )
  }

  /// What offloading would give: the optimizer's tensors alone where that is enough, otherwise activations too.
  private func offer(
    _ recipe: Recipe, task: TrainingTask, device: Device, ranks: Ranks, limit: Int
  ) -> String? {
    // Ranks of which one plans something else would not meet in what they exchange.
    guard ranks.count == 1, device.name == "cpu", !recipe.train.offload.activations else { return nil }
    var best: (text: String, bytes: Int)?
    for activations in recipe.train.offload.state ? [true] : [false, true] {
      var other = recipe
      (other.train.offload.state, other.train.offload.activations) = (true, activations)
      let bytes: Int
      do {
        bytes = try TrainingRun(
          within: other, task: task, device: device, ranks: ranks, scratch: nil, isPlan: true
        ).plan.plannedBytes
      } catch let error as MemoryLimitError { bytes = error.needed } catch { continue }
      guard bytes < best?.bytes ?? needed else { continue }
      best = ("{state: true\(activations ? ", activations: true" : "")}", bytes)
      if bytes <= limit { break }
    }
    guard let best else { return nil }
    let figure = best.bytes <= limit ? "it would take \(best.bytes)" : "it would still need \(best.bytes)"
    return "; with train.offload: \(best.text) \(figure), and the rest from the disk"
  }
}
