import Synchronization

/// Which method an engine takes for each piece of work that it knows several for.
///
/// A method that was measured on such a machine before is remembered; one that was not is measured while the program is
/// compiled, as long as a budget of time lasts; what is left goes by the engine's rule. A decision, once made, holds. It
/// is saved with a run's checkpoints, so that a run that goes on computes the very numbers that it would have computed.
public final class MethodBook: Sendable {
  /// By the name of a piece of work, the name of its method.
  public typealias Choices = [String: String]

  private struct State {
    var remembered: Choices
    var decided: Choices = [:]
    var measured: Choices = [:]
    var budget: Duration
  }

  private let state: Mutex<State>

  /// A book in which nothing is decided yet.
  ///
  /// - Parameters:
  ///   - remembered: what was measured before, on such a machine.
  ///   - budget: how long measuring may take, all of it together; a measurement that has begun is ended.
  public init(remembered: Choices = [:], budget: Duration = .milliseconds(100)) {
    state = Mutex(State(remembered: remembered, budget: budget))
  }

  /// Decides as a run did that went before; work that it did not have goes by the engine's rule. To be called before
  /// anything is compiled.
  public func follow(_ decisions: Choices) {
    state.withLock { $0 = State(remembered: decisions, budget: .zero) }
  }

  /// All decisions so far.
  public var decisions: Choices { state.withLock { $0.decided } }

  /// The decisions that were measured since the last call, and not remembered.
  public func takeMeasurements() -> Choices {
    state.withLock { state in
      defer { state.measured = [:] }
      return state.measured
    }
  }

  /// The method for a piece of work.
  ///
  /// - Parameters:
  ///   - rule: the method that is taken unless another is known to be faster.
  ///   - candidates: the methods that there are, `rule` among them.
  ///   - measure: how long a method takes; `nil` where it turns out not to work.
  public func method(
    for work: String, rule: String, among candidates: [String], measure: (String) -> Duration?
  ) -> String {
    state.withLock { state in
      if let known = state.decided[work] { return known }
      var choice = rule
      if let known = state.remembered[work] {
        if candidates.contains(known) { choice = known }
      } else if state.budget > .zero, candidates.count > 1 {
        let start = ContinuousClock.now
        choice = Self.fastest(rule, candidates, measure)
        state.measured[work] = choice
        state.budget -= start.duration(to: .now)
      }
      state.decided[work] = choice
      return choice
    }
  }

  /// The rule's method, unless another is faster by more than measurements differ among themselves: what is about as fast
  /// stays the same from machine to machine.
  private static func fastest(
    _ rule: String, _ candidates: [String], _ measure: (String) -> Duration?
  ) -> String {
    guard let usual = measure(rule) else { return rule }
    var best = (method: rule, time: usual * 0.93)
    for candidate in candidates where candidate != rule {
      if let time = measure(candidate), time < best.time { best = (candidate, time) }
    }
    return best.method
  }
}

extension MethodBook: Hashable {
  public static func == (a: MethodBook, b: MethodBook) -> Bool { a === b }

  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
