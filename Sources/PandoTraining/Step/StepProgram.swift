import Pando

/// What one training step runs. A step whose loss or gradient is not finite changes nothing: the run can stop with good
/// weights.
protocol StepProgram: AnyObject {
  /// Where the samples of a step are read from, by this process: each is a stream of batches of its own.
  var slices: [StepSlice] { get }
  /// All programs of this process that a step runs.
  var programs: [Program] { get }
  /// The programs in order, the one with the gradients first.
  var phases: [StepPhase] { get }
  /// The memory of all programs.
  var memory: [MemoryReport] { get }
  /// Bytes of sums of gradients that live from one program to the next, and of what ranks exchange.
  var sumBytes: Int { get }
  /// Floating-point operations of one step, on all ranks together.
  var flops: Int { get }
  /// What is exchanged in a step between its programs; what goes on inside of one its graph says.
  var exchanges: [StepExchange] { get }
  /// What it remembers from step to step beside weights and the optimizer's tensors.
  var carried: [CarriedTensor] { get }
  /// What this rank holds of parameters, gradients and optimizer tensors at the highest; `nil` where several programs
  /// make a step.
  var stateMemory: StateMemory? { get }

  /// Does one step.
  ///
  /// - Parameters:
  ///   - index: the step, from 0.
  ///   - rate: its learning rate.
  ///   - feeds: one for each of `slices`.
  ///   - timing: is told when each operation was at work; nothing is measured where it is `nil`.
  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
}

extension StepProgram {
  var carried: [CarriedTensor] { [] }
  var exchanges: [StepExchange] { [] }
  var stateMemory: StateMemory? { nil }
}

/// Is told when an operation of a program was at work, and on which of the step's threads: 0 is the one that runs the
/// step, the others, where feeds have threads of their own, are counted from 1. Called on the thread that runs the step.
typealias StepTiming = (_ program: Program, _ thread: Int, _ time: OperationTime) -> Void

extension Program {
  /// Runs once, and tells when each operation was at work if someone wants to know.
  func run(telling timing: ((Program, OperationTime) -> Void)?) throws {
    guard let timing else { return try run() }
    try run { timing(self, $0) }
  }
}

/// What a step reports.
struct StepReport {
  let loss: Double
  let gradientNorm: Double
  /// What went to other ranks.
  var traffic = StepTraffic()
  /// What layers tell of themselves, by name.
  var figures: [String: Double] = [:]
  /// How long the stages of a pipeline stood still; `nil` where there is none.
  var bubble: BubbleTimes?
  /// When this rank waited for another stage.
  var waits: [StageWait] = []
  var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
}

/// Which of a step's samples a stream of batches takes.
struct StepSlice: Hashable {
  /// Samples in a batch.
  let batch: Int
  /// Batches in a step.
  let count: Int
  /// Its first sample, counted from the step's first.
  let offset: Int
  /// Random numbers are counted by the part of a step: the number of the slice's first batch among the step's parts.
  var firstPart = 0
  /// Parts of a step on all ranks together.
  var stepParts = 1

  /// The number, among the parts of all steps, of a batch of the step at `index`.
  func part(_ batch: Int, of index: Int) -> Int { index * stepParts + firstPart + batch }
}

/// What changes from step to step beside the state and the batch.
final class StepInputs {
  let key = HostBuffer(TensorType([2], .int64))
  let learningRate = HostBuffer(.scalar(.float32))
  let step = HostBuffer(.scalar(.float32))
  let loss = HostBuffer(.scalar(.float32))
  let norm = HostBuffer(.scalar(.float32))
  private var figures: [(name: String, buffer: HostBuffer)] = []

  /// Has the report tell these figures too.
  func watch(_ figures: [(name: String, value: Tensor)]) {
    self.figures = figures.map { ($0.name, HostBuffer(.scalar(.float32))) }
  }

  /// What a step's program returns behind the state: loss, norm, and the figures that are watched.
  var reported: [HostBuffer] { [loss, norm] + figures.map(\.buffer) }

  /// Sets learning rate and number of the step at `index`, counted from 0.
  func begin(_ index: Int, rate: Double) {
    learningRate.pointer.storeBytes(of: Float(rate), as: Float.self)
    step.pointer.storeBytes(of: Float(index + 1), as: Float.self)
  }

  /// Sets the key of the random numbers of one part of all the parts of all steps.
  static func set(_ key: HostBuffer, seed: UInt64, part: Int) {
    key.pointer.storeBytes(of: Int64(bitPattern: seed), as: Int64.self)
    key.pointer.storeBytes(of: Int64(part), toByteOffset: 8, as: Int64.self)
  }

  var report: StepReport {
    var report = StepReport(
      loss: Double(loss.pointer.load(as: Float.self)), gradientNorm: Double(norm.pointer.load(as: Float.self))
    )
    for (name, buffer) in figures { report.figures[name] = Double(buffer.pointer.load(as: Float.self)) }
    return report
  }
}
