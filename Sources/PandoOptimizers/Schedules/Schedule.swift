import Foundation

/// The learning rate's course over the steps.
public protocol Schedule: Sendable {
  /// The share of the peak learning rate at a step; the first step is 0.
  func factor(at step: Int) -> Double
}

/// The peak to the end.
public struct ConstantSchedule: Schedule {
  /// A course without change.
  public init() {}
  public func factor(at step: Int) -> Double { 1 }
}

/// Falls in a line to a share of the peak. PyTorch: `LinearLR` from 1 to `final`.
public struct LinearDecay: Schedule {
  /// The step that reaches the share; it stays there.
  public let steps: Int
  /// The share.
  public let final: Double

  /// A fall to `final` over `steps` steps.
  public init(steps: Int, final: Double = 0) {
    self.steps = steps
    self.final = final
  }

  public func factor(at step: Int) -> Double { 1 + (final - 1) * progress(step, of: steps) }
}

/// Falls along half a cosine to a share of the peak (Loshchilov and Hutter 2016, arXiv:1608.03983). PyTorch:
/// `CosineAnnealingLR`.
public struct CosineDecay: Schedule {
  /// The step that reaches the share; it stays there.
  public let steps: Int
  /// The share.
  public let final: Double

  /// A fall to `final` over `steps` steps.
  public init(steps: Int, final: Double = 0) {
    self.steps = steps
    self.final = final
  }

  public func factor(at step: Int) -> Double { blend(1, final, progress(step, of: steps)) }
}

/// Falls by a factor now and then. PyTorch: `StepLR`.
public struct StepDecay: Schedule {
  /// Steps between falls.
  public let every: Int
  /// The factor.
  public let gamma: Double

  /// A fall to `gamma` of what was, every `every` steps.
  public init(every: Int, gamma: Double = 0.1) {
    self.every = max(1, every)
    self.gamma = gamma
  }

  public func factor(at step: Int) -> Double { pow(gamma, Double(step / every)) }
}

/// Rises and falls along half cosines over the whole run (Smith and Topin 2017, arXiv:1708.07120). PyTorch:
/// `OneCycleLR` with two phases; its `final_div_factor` counts from the start, `final` from the peak.
public struct OneCycle: Schedule {
  /// Steps of the run.
  public let steps: Int
  /// The share of the run in which it rises.
  public let rise: Double
  /// The share of the peak at the first step.
  public let start: Double
  /// The share of the peak at the last step.
  public let final: Double

  /// A rise over `rise · steps` steps, then a fall.
  public init(steps: Int, rise: Double = 0.3, start: Double = 1 / 25, final: Double = 1e-4) {
    self.steps = steps
    self.rise = rise
    self.start = start
    self.final = final
  }

  public func factor(at step: Int) -> Double {
    let (peak, last) = (rise * Double(steps) - 1, Double(steps - 1))
    let step = Double(step)
    if step < peak { return blend(start, 1, step / peak) }
    return last > peak ? blend(1, final, min(1, (step - max(0, peak)) / (last - max(0, peak)))) : final
  }
}

/// Rises in a line before another course begins.
///
/// The rise does not begin at 0, which would waste a step: with n steps of warm-up the first factors are 1/(n+1),
/// 2/(n+1), …, and step n has the peak. PyTorch: `SequentialLR` of `LinearLR(start_factor: 1/(n+1))` and the course.
public struct Warmup: Schedule {
  /// Steps of the rise.
  public let steps: Int
  /// The course after it, whose first step follows on the rise.
  public let course: any Schedule

  /// A rise over `steps` steps in front of a course.
  public init(_ steps: Int, then course: any Schedule) {
    self.steps = steps
    self.course = course
  }

  public func factor(at step: Int) -> Double {
    step < steps ? Double(step + 1) / Double(steps + 1) : course.factor(at: step - steps)
  }
}

/// The share of `steps` that `step` has done, at most 1.
private func progress(_ step: Int, of steps: Int) -> Double {
  steps > 0 ? min(1, Double(step) / Double(steps)) : 1
}

/// From `first` to `last` along half a cosine.
private func blend(_ first: Double, _ last: Double, _ share: Double) -> Double {
  last + (first - last) * (1 + cos(.pi * share)) / 2
}
