/// In what order a stage of a pipeline does its passes.
public enum PipelineSchedule: String, Hashable, Sendable, CaseIterable {
  /// All forward passes, then all backward passes (Huang et al. 2019, "GPipe", arXiv:1811.06965).
  case gpipe
  /// As few forward passes ahead as keep all stages busy, then one of each in turn, so that a stage keeps the activations
  /// of as many micro-batches as there are stages, not of all (Narayanan et al. 2019, "PipeDream"). With several chunks a
  /// stage it is the interleaved schedule of Narayanan et al. 2021, arXiv:2104.04473.
  case oneForwardOneBackward = "1f1b"
}

/// One pass of a micro-batch through one group of layers.
public struct PipelinePass: Hashable, Sendable {
  /// Forward, or backward.
  public let isForward: Bool
  /// Counted from 0.
  public let microBatch: Int
  /// Which of the stage's groups of layers, from 0.
  public let chunk: Int
}

/// A step in a pipeline: which passes each stage does, and in what order.
///
/// The network is cut into `stages · chunks` groups of layers; group `g` belongs to stage `g % stages`.
public struct PipelineOrder: Hashable, Sendable {
  /// Stages, which work at the same time.
  public let stages: Int
  /// Groups of layers of each stage.
  public let chunks: Int
  /// Parts of a batch.
  public let microBatches: Int
  /// The order of passes.
  public let schedule: PipelineSchedule

  /// An order from all it says; with several chunks the micro-batches are a multiple of the stages.
  public init(
    stages: Int, chunks: Int = 1, microBatches: Int, schedule: PipelineSchedule = .oneForwardOneBackward
  ) {
    precondition(
      chunks == 1 || microBatches.isMultiple(of: stages), "micro-batches go in rounds of the stages")
    self.stages = stages
    self.chunks = chunks
    self.microBatches = microBatches
    self.schedule = schedule
  }

  /// Groups of layers in all.
  public var parts: Int { stages * chunks }

  /// The time in which a stage does nothing, over the time in which it works, where all passes of a kind take equally
  /// long and sending takes none: `(stages − 1) / (microBatches · chunks)`.
  public var bubble: Double { Double(stages - 1) / Double(microBatches * chunks) }

  /// The passes of a stage in order.
  public func passes(of stage: Int) -> [PipelinePass] {
    let total = microBatches * chunks
    // Micro-batches go in groups of as many as there are stages, chunk by chunk.
    func pass(_ number: Int, isForward: Bool) -> PipelinePass {
      guard chunks > 1 else { return PipelinePass(isForward: isForward, microBatch: number, chunk: 0) }
      let (round, within) = (number / (stages * chunks), number % (stages * chunks))
      let chunk = within / stages
      return PipelinePass(
        isForward: isForward, microBatch: round * stages + within % stages,
        chunk: isForward ? chunk : chunks - 1 - chunk)
    }
    let ahead = chunks == 1 ? stages - 1 - stage : (stages - 1 - stage) * 2 + (chunks - 1) * stages
    let warmUp = schedule == .gpipe ? total : min(total, ahead)
    var passes = (0..<warmUp).map { pass($0, isForward: true) }
    for number in warmUp..<max(warmUp, total) {
      passes.append(pass(number, isForward: true))
      passes.append(pass(number - warmUp, isForward: false))
    }
    for number in (total - warmUp)..<total { passes.append(pass(number, isForward: false)) }
    return passes
  }

  /// Of how many micro-batches a stage keeps the activations of one chunk at the most.
  public func underWay(stage: Int, chunk: Int) -> Int {
    var (now, most) = (0, 0)
    for pass in passes(of: stage) where pass.chunk == chunk {
      now += pass.isForward ? 1 : -1
      most = max(most, now)
    }
    return most
  }
}

extension PipelineOrder: CustomStringConvertible {
  /// `2 stages, 1f1b, 8 micro-batches`
  public var description: String {
    "\(stages) stages\(chunks > 1 ? " of \(chunks) chunks" : ""), \(schedule.rawValue), \(microBatches) micro-batches"
  }
}
