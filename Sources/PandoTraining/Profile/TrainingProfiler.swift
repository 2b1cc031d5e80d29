import Foundation
import Pando
import PandoData

/// Takes down what a run does in a few of its steps, on every rank, and writes it as one timeline.
///
/// A step that is not watched costs nothing more than without a profiler; one that is computes the same numbers.
public final class TrainingProfiler {
  private let file: URL
  private let communicator: (any Communicator)?
  /// The first exchange that has not been taken down.
  private var nextExchange = 0
  private let warmUp: Int
  private let steps: Int
  private var passed = 0
  private var watched = 0
  private var timeline = Timeline()
  private let clock = TimelineClock()
  private var kernels: [ObjectIdentifier: [KernelDescription]] = [:]

  /// Whether what happens now is taken down.
  private(set) var isWatching = false

  /// - Parameters:
  ///   - file: where the first rank puts the timeline, in the Trace Event Format.
  ///   - ranks: who trains together; each has a profiler.
  ///   - warmUp: steps of the session that are let pass before the first that is watched, where there are enough.
  ///   - steps: how many are watched.
  public init(writingTo file: URL, ranks: Ranks = .single, warmUp: Int = 2, steps: Int = 8) {
    self.file = file
    communicator = ranks.communicator
    timeline.rank = ranks.rank
    timeline.clock = TimelineClock.name
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
      if !isWatching { nextExchange = (communicator?.recorder.entries.last?.number ?? -1) + 1 }
      isWatching = true
      watched += 1
    }
  }

  /// Writes the timeline unless that is done; nothing where no step was watched. All ranks call it after the same step.
  ///
  /// - Throws: `DataError` where it cannot be written, `CommunicationError` where a rank is gone.
  func finish(title: String) throws {
    guard isWatching else { return }
    isWatching = false
    let timelines = try communicator.map { try timeline.gathered(over: $0) } ?? [timeline]
    if let timelines { try AtomicFile.write(TraceEvents(timelines, title: title).data(), to: file) }
    timeline.spans = []
  }

  /// Does something and takes down how long it takes, if it is watched.
  func watch<Result>(
    _ row: Timeline.Row, _ name: @autoclosure () -> String, _ category: String, _ work: () throws -> Result
  ) rethrows -> Result {
    guard isWatching else { return try work() }
    let name = name()
    let start = ContinuousClock.now
    let result = try work()
    timeline.spans.append(
      Timeline.Span(
        row: row, name: name, category: category, kind: category == "step" ? .step : .other,
        time: clock.time(start, .now)))
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
        timeline.spans.append(
          Timeline.Span(
            row: .thread(feeds.count == 1 ? 0 : number + 1), name: "wait for \(name)", category: "wait",
            time: clock.time(batch.waited.lowerBound, batch.waited.upperBound)))
        guard let prepared = batch.prepared else { continue }
        timeline.spans.append(
          Timeline.Span(
            row: .data(number), name: name, category: "batch",
            time: clock.time(prepared.lowerBound, prepared.upperBound)))
      }
    }
  }

  /// A step is done in which this rank waited for other stages.
  func take(_ waits: [StageWait]) {
    guard isWatching else { return }
    for wait in waits {
      timeline.spans.append(
        Timeline.Span(
          row: .thread(0), name: "wait for \(wait.label)", category: "bubble", kind: .bubble,
          time: clock.time(wait.time.lowerBound, wait.time.upperBound)))
    }
  }

  /// Takes down what was exchanged with other ranks since it was called last.
  func takeExchanges() {
    guard isWatching, let recorder = communicator?.recorder else { return }
    let (now, seconds) = (TimelineClock.now, recorder.seconds)
    func time(_ moment: Double) -> Int64 { now - Int64((seconds - moment) * 1e9) }
    for entry in recorder.entries where entry.number >= nextExchange {
      // What has not ended yet is taken down the next time, with all behind it.
      guard entry.state == .done || entry.state == .failed, let end = entry.end else { break }
      nextExchange = entry.number + 1
      let start = time(entry.started ?? entry.begin)
      // A message is under way from the moment at which it is asked for; what waits for one says so itself.
      let isMessage = entry.operation == "send" || entry.operation == "receive"
      timeline.spans.append(
        Timeline.Span(
          row: .exchanges, name: "\(entry.operation) of \(entry.label)", category: "communication",
          kind: isMessage ? .other : .communication, time: start..<max(start, time(end)),
          details: ["bytes": "\(entry.bytes)"]))
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
    timeline.spans.append(
      Timeline.Span(
        row: .thread(thread), name: kernel.name, category: kernel.kind, kind: .compute,
        time: clock.time(time.start, time.end),
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
    _ row: Timeline.Row, _ name: @autoclosure () -> String, _ category: String, _ work: () throws -> Result
  ) rethrows -> Result {
    guard let self else { return try work() }
    return try self.watch(row, name(), category, work)
  }
}
