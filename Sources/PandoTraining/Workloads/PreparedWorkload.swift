import Foundation
import Pando
import PandoData
import PandoNN

/// A workload that is compiled and has its data in place: what remains is to run steps.
public final class PreparedWorkload {
  /// Called for each operation of a step with the program that it belongs to.
  public typealias Timing = (Program, OperationTime) -> Void

  /// What is done.
  public let workload: Workload
  /// In which precision.
  public let precision: Recipe.Precision
  /// Where.
  public let device: Device
  /// Trained elements.
  public let parameters: Int
  /// What a step runs, in order.
  public let programs: [Program]
  private let step: (Timing?) throws -> StepTraffic
  private let memory: () -> (planned: Int, measured: Int)
  /// Milliseconds of the last step in which this rank did nothing but exchange with others, or wait for them.
  public private(set) var exchangeMs = 0.0

  /// Compiles a workload and makes its data up.
  ///
  /// - Parameter ranks: who does the steps together, each its share of every batch.
  /// - Throws: `RecipeError` where the precision is not available; whatever compiling throws.
  public init(
    _ workload: Workload, precision: Recipe.Precision = .float32, device: Device, ranks: Ranks = .single
  ) throws {
    self.workload = workload
    self.precision = precision
    self.device = device
    let recipe = workload.recipe(precision: precision, threads: device.threads)
    let work =
      switch workload.mode {
      case .training: try Work.training(recipe, workload.task(), device, ranks)
      case .inference: try Work.inference(recipe, workload.task(), device)
      }
    (parameters, programs, step, memory) = (work.parameters, work.programs, work.step, work.memory)
  }

  /// Floating-point operations of a step, by the graphs' count.
  public var flops: Int { programs.reduce(0) { $0 + $1.cost.flops } }

  /// Those of them in products and convolutions, which other frameworks count too.
  public var productFlops: Int { programs.reduce(0) { $0 + $1.productFlops } }

  /// About how long a step takes, by what the device's machine can do.
  public var estimatedSeconds: Double { programs.reduce(0) { $0 + $1.estimatedSeconds } }

  /// Bytes of weights, optimizer, batches and arenas, as planned.
  public var plannedBytes: Int { memory().planned }
  /// The same as measured so far.
  public var measuredBytes: Int { memory().measured }

  /// Does one step.
  ///
  /// - Returns: how long it took, in milliseconds.
  @discardableResult public func run() throws -> Double {
    let start = ContinuousClock.now
    exchangeMs = try step(nil).seconds * 1000
    return start.duration(to: .now) / .milliseconds(1)
  }

  /// Does one step and tells when each operation was at work.
  @discardableResult public func run(timing: @escaping Timing) throws -> Double {
    let start = ContinuousClock.now
    _ = try step(timing)
    return start.duration(to: .now) / .milliseconds(1)
  }
}

/// What a mode makes of a recipe.
private struct Work {
  let parameters: Int
  let programs: [Program]
  let step: (PreparedWorkload.Timing?) throws -> StepTraffic
  let memory: () -> (planned: Int, measured: Int)

  static func training(
    _ recipe: Recipe, _ task: TrainingTask, _ device: Device, _ ranks: Ranks
  ) throws -> Work {
    let run = try TrainingRun(recipe, task: task, device: device, ranks: ranks)
    let feeds = try run.program.slices.map { slice in
      let (x, y) = try firstBatch(task, recipe, slice, samples: run.samplesPerStep)
      return BatchFeed(repeating: x, y)
    }
    var index = 0
    return Work(
      parameters: run.parameterCount, programs: run.program.programs,
      step: { timing in
        let tell = timing.map { timing in
          { (program: Program, _: Int, time: OperationTime) in timing(program, time) }
        }
        let report = try run.program.run(index, seed: 1, rate: 1e-4, feeds: feeds, timing: tell)
        index += 1
        return report.traffic
      },
      memory: {
        let plan = run.plan
        return (plan.plannedBytes, plan.measuredBytes)
      })
  }

  static func inference(_ recipe: Recipe, _ task: TrainingTask, _ device: Device) throws -> Work {
    let model = try recipe.model.makeLayer(inputType: task.inputType, classes: task.classes)
    let named = try model.namedParameters()
    let weights = named.map { entry in
      let parameter = entry.parameter
      return (
        placeholder: parameter.tensor,
        buffer: parameter.initializer.makeBuffer(
          parameter.type, name: entry.name, seed: 1, threads: device.threads)
      )
    }
    let batch = recipe.data.batch
    let (x, _) = try firstBatch(
      task, recipe, StepSlice(batch: batch, count: 1, offset: 0), samples: batch)
    let ready = try ModelProgram(
      model, weights: weights, inputType: x.type, precision: recipe.train.precision, device: device)
    withExtendedLifetime(x) { ready.input.write(from: x.pointer) }
    return Work(
      parameters: named.reduce(0) { $1.parameter.isTrainable ? $0 + $1.parameter.type.count : $0 },
      programs: [ready.program],
      step: {
        try ready.program.run(telling: $0)
        return StepTraffic()
      },
      memory: {
        let memory = ready.program.memory
        return (memory.plannedPeakBytes, memory.measuredPeakBytes)
      })
  }

  /// Input and target of the first batch of a slice, in memory of their own.
  private static func firstBatch(
    _ task: TrainingTask, _ recipe: Recipe, _ slice: StepSlice, samples: Int
  ) throws -> (HostBuffer, HostBuffer) {
    let feed = try BatchFeed(task, recipe, slice, step: 0, samples: samples)
    // The batch lies in the feed's memory.
    return try withExtendedLifetime(feed) {
      let (x, y) = try feed.next()
      return (x.copy(), y.copy())
    }
  }
}
