import Foundation
import Pando
import PandoData

/// Takes down what a run does in a few of its steps, and writes it as a timeline.
///
/// A step that is not watched costs nothing more than without a profiler; one that is computes the same numbers.
public final class TrainingProfiler {
  private let file: URL
  private let warmUp: Int
  private let steps: Int
  private var passed = 0
  private var watched = 0
  private var spans: [TraceEvents.Span] = []
  private var kernels: [ObjectIdentifier: [KernelDescription]] = [:]

  /// Whether what happens now is taken down.
  private(set) var isWatching = false

  /// - Parameters:
  ///   - file: where the timeline goes, in the Trace Event Format.
  ///   - warmUp: steps of the session that are let pass before the first that is watched, where there are enough.
  ///   - steps: how many are watched.
  public init(writingTo file: URL, warmUp: Int = 2, steps: Int = 8) {
    self.file = file
    self.warmUp = warmUp
    self.steps = max(1, steps)
  }

  /// A step begins; `remaining` are left with it.
  ///
  /// - Throws: `DataError` where the timeline, which is whole by now, cannot be written.
  func willStep(remaining: Int, title: String) throws {
    if isWatching, watched == steps { return try finish(title: title) }
    // Where letting steps pass would leave too few to watch, the first are watched too.
    if watched == 0, passed < warmUp, remaining > steps {
      passed += 1
    } else if watched < steps {
      isWatching = true
      watched += 1
    }
  }

  /// Writes the timeline unless that is done; nothing where no step was watched.
  ///
  /// - Throws: `DataError` where it cannot be written.
  func finish(title: String) throws {
    guard isWatching else { return }
    isWatching = false
    try AtomicFile.write(TraceEvents(spans, title: title).data(), to: file)
    spans = []
  }

  /// Does something and takes down how long it takes, if it is watched.
  func watch<Result>(
    _ row: TraceEvents.Row, _ name: @autoclosure () -> String, _ category: String, _ work: () throws -> Result
  ) rethrows -> Result {
    guard isWatching else { return try work() }
    let name = name()
    let start = ContinuousClock.now
    let result = try work()
    spans.append(
      TraceEvents.Span(row: row, name: name, category: category, start: start, end: .now))
    return result
  }

  /// What a step is to tell of its operations; `nil` where it is not watched.
  var timing: StepTiming? {
    isWatching ? { program, thread, time in self.take(time, of: program, on: thread) } : nil
  }

  /// A step begins that takes its batches from `feeds`.
  func prepare(_ feeds: [BatchFeed]) { for feed in feeds { feed.times = isWatching ? [] : nil } }

  /// A step that has taken its batches from `feeds` is done.
  func take(_ feeds: [BatchFeed]) {
    for (number, feed) in feeds.enumerated() {
      for batch in feed.times ?? [] {
        let name = "samples from \(batch.position)"
        spans.append(
          TraceEvents.Span(
            row: .thread(feeds.count == 1 ? 0 : number + 1), name: "wait for \(name)", category: "wait",
            start: batch.waited.lowerBound, end: batch.waited.upperBound))
        guard let prepared = batch.prepared else { continue }
        spans.append(
          TraceEvents.Span(
            row: .data(number), name: name, category: "batch", start: prepared.lowerBound,
            end: prepared.upperBound))
      }
    }
  }

  /// An operation of a program was at work.
  private func take(_ time: OperationTime, of program: Program, on thread: Int) {
    let key = ObjectIdentifier(program)
    if kernels[key] == nil { kernels[key] = program.compiledGraph.nodes.map(KernelDescription.init) }
    let kernel = kernels[key]![time.node]
    let seconds = time.start.duration(to: time.end) / .seconds(1)
    func rate(_ amount: Int) -> String {
      String(format: "%.1f", seconds > 0 ? Double(amount) / seconds / 1e9 : 0)
    }
    spans.append(
      TraceEvents.Span(
        row: .thread(thread), name: kernel.name, category: kernel.kind, start: time.start, end: time.end,
        details: [
          "node": "\(time.node)", "operands": kernel.operands.joined(separator: " "),
          "results": kernel.results.joined(separator: " "), "GFLOP/s": rate(kernel.flops),
          "GB/s": rate(kernel.bytes),
        ]))
  }
}

extension TrainingProfiler? {
  /// Does something and takes down how long it takes, if there is a profiler and it watches.
  func watch<Result>(
    _ row: TraceEvents.Row, _ name: @autoclosure () -> String, _ category: String, _ work: () throws -> Result
  ) rethrows -> Result {
    guard let self else { return try work() }
    return try self.watch(row, name(), category, work)
  }
}
