import PandoOptimizers

extension Recipe.Schedule {
  /// The course over a run of `steps` steps, at whose last step it ends.
  func makeSchedule(steps: Int) -> any PandoOptimizers.Schedule {
    let left = max(1, steps - warmup)
    let schedule: any PandoOptimizers.Schedule =
      switch course {
      case .constant: ConstantSchedule()
      case .linear(let decay): LinearDecay(steps: left - 1, final: decay.final)
      case .cosine(let decay): CosineDecay(steps: left - 1, final: decay.final)
      case .step(let stairs): StepDecay(every: stairs.every, gamma: stairs.gamma)
      case .oneCycle(let cycle):
        // A warm-up takes the place of the rise.
        warmup > 0
          ? CosineDecay(steps: left - 1, final: cycle.final)
          : PandoOptimizers.OneCycle(steps: steps, rise: cycle.rise, final: cycle.final)
      }
    return warmup > 0 ? Warmup(warmup, then: schedule) : schedule
  }
}
