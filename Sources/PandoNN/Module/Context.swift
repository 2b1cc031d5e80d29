import Pando
import Synchronization

/// What a forward pass needs beside its inputs, passed from layer to layer: whether this is training, where random
/// numbers come from, and where layers put the new values of their running statistics, losses of their own and figures.
///
/// A context serves one trace.
public final class Context: Sendable {
  private struct State: Sendable {
    var random: Random?
    var updates: [(parameter: Parameter, value: Tensor)] = []
    var losses: [AuxiliaryLoss] = []
    var figures: [(name: String, value: Tensor)] = []
  }

  /// The source of random numbers: an `int64[2]` of seed and step; `nil` in evaluation.
  public let key: Tensor?
  private let state: Mutex<State>

  /// Whether dropout drops and batch norm uses the batch's own statistics.
  public var isTraining: Bool { key != nil }

  private init(_ random: Random?) {
    key = random?.key
    state = Mutex(State(random: random))
  }

  /// A context for evaluation.
  public static func evaluation() -> Context { Context(nil) }

  /// A context for training.
  ///
  /// - Parameter key: `int64[2]`, the seed and the step: the same key gives the same random numbers.
  public static func training(key: Tensor) -> Context { Context(Random(key: key)) }

  /// The number of a random stream that nothing else in this trace uses. Evaluation draws nothing.
  public func nextStream() -> Int {
    state.withLock { state in
      guard let stream = state.random?.nextStream() else {
        preconditionFailure("evaluation draws no random numbers")
      }
      return stream
    }
  }

  /// Records the new value of a running statistic.
  public func update(_ statistic: Parameter, to value: Tensor) {
    state.withLock { $0.updates.append((statistic, value)) }
  }

  /// Records a loss of a layer's own, to be added to the model's.
  public func add(_ loss: AuxiliaryLoss) { state.withLock { $0.losses.append(loss) } }

  /// The losses of layers' own, in the order in which layers gave them.
  public var losses: [AuxiliaryLoss] { state.withLock { $0.losses } }

  /// Records a figure of a layer's own that is to be watched in training and is part of no loss: a scalar, the mean over
  /// the samples. Figures of one name are told as their mean over the layers.
  public func report(_ name: String, _ value: Tensor) {
    state.withLock { $0.figures.append((name, value)) }
  }

  /// The figures of layers' own, by name in alphabetical order, each the mean over the layers that gave it.
  public var figures: [(name: String, value: Tensor)] {
    let all = Dictionary(grouping: state.withLock { $0.figures }, by: \.name)
    return all.sorted { $0.key < $1.key }.map { name, figures in
      let sum = figures.dropFirst().reduce(figures[0].value) { $0 + $1.value }
      return (name, figures.count == 1 ? sum : sum * (1 / Double(figures.count)))
    }
  }

  /// What the losses of layers' own add to the model's; `nil` where there are none.
  public var auxiliaryLoss: Tensor? {
    losses.reduce(nil as Tensor?) { sum, loss in
      let term = loss.value * loss.weight
      return sum.map { $0 + term } ?? term
    }
  }

  /// The new values of running statistics, in the order in which layers gave them.
  public var updates: [(parameter: Parameter, value: Tensor)] { state.withLock { $0.updates } }
}
