import PandoIR
import PandoOperations
import PandoTransforms
import Testing

/// The window over a program's files: what comes when, and how much is there at once.
@Suite struct StreamPlanTests {
  private func items(_ count: Int, bytes: Int = 100) -> [StreamPlan.Item] {
    (0..<count).map { StreamPlan.Item(.input($0), byteCount: bytes) }
  }

  /// Four steps with a stretch each: one is at work, the next on its way.
  @Test func theNextIsFetchedWhileThePresentIsUsed() {
    let plan = StreamPlan(
      items(4), (0..<4).map { StreamPlan.Use(step: 10 + $0, item: $0, isWrite: $0 == 2) })
    #expect(plan.windowBytes == 200)
    #expect(plan.stops.map(\.step) == [10, 11, 12, 13])
    #expect(plan.stops.map { $0.fetches.map(\.item) } == [[0, 1], [2], [3], []])
    #expect(plan.stops.map(\.arrivals) == [1, 2, 3, 4])
    #expect(plan.stops.map { $0.releases.map(\.item) } == [[0], [1], [2], [3]])
    #expect(plan.stops[0].fetches.map(\.writes) == [false, false])
    #expect(plan.stops[1].fetches.map(\.writes) == [true])
  }

  /// What is used again soon stays, what is used again late goes and comes back.
  @Test func whatIsUsedAgainSoonStays() {
    let uses = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 0)]
    let plan = StreamPlan(
      items(3), uses.map { StreamPlan.Use(step: $0.0, item: $0.1, isWrite: false) })
    #expect(plan.stops.map { $0.fetches.map(\.item) } == [[0], [1], [2], [0], []])
    #expect(plan.stops.map { $0.releases.map(\.item) } == [[], [0], [1], [2], [0]])
    #expect(plan.stops.map { $0.releases.map(\.isLast) } == [[], [false], [true], [true], [true]])
    #expect(plan.stops[0].fetches[0].isFirst && !plan.stops[3].fetches[0].isFirst)
    #expect(plan.windowBytes == 200)
  }

  /// A window reaches over an eighth of everything where that is more than the next stretch.
  @Test func manySmallStretchesComeTogether() {
    let plan = StreamPlan(
      items(80, bytes: 10), (0..<80).map { StreamPlan.Use(step: $0, item: $0, isWrite: false) })
    #expect(plan.windowBytes == 100)
    #expect(plan.stops[0].fetches.count == 10)
  }

  /// A step of a second each; fetches take a quarter of one, or two.
  @Test func aSlowDiskIsWaitedFor() {
    let plan = StreamPlan(
      items(4), (0..<4).map { StreamPlan.Use(step: $0, item: $0, isWrite: false) })
    let steps = [Double](repeating: 1, count: 4)
    func wait(_ seconds: Double) -> Double {
      plan.wait(steps, fetch: { _ in seconds }, release: { _ in 0 })
    }
    // Only the first is not fetched beside a step.
    #expect(wait(0.25) == 0.25)
    // The first takes 2, and each other one second more than the step beside it.
    #expect(wait(2) == 2 + 3)
  }

  /// The values that wait over the middle go to a file, those that are at work there do not.
  @Test func idleValuesGoToTheFile() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([256]))
    // Sines on the way there, each of which is wanted on the way back.
    var kept = [x]
    for _ in 0..<6 { kept.append(try builder.unary(.sine, kept.last!)) }
    var value = kept.removeLast()
    for other in kept.reversed() { value = try builder.multiply(value, other) }
    builder.setOutputs([value])
    let graph = builder.graph
    let needs = graph.nodes.map { _ in PlanMemory.Needs() }
    let plain = PlanMemory.plan(graph, needs: needs)
    #expect(plain.stream == nil && plain.fileBytes == 0)
    let plan = PlanMemory.plan(
      graph, needs: needs,
      files: PlanMemory.Files(values: true, smallestValue: 1024, alignment: 1024))
    let stream = try #require(plan.stream)
    #expect(plan.fileBytes == stream.items.count * 1024)
    #expect(stream.items.count >= 3)
    #expect(plan.residentBytes == plan.arenaBytes + stream.windowBytes)
    #expect(plan.residentBytes < plain.residentBytes)
    // Each lives in a stretch of its own.
    let offsets = plan.storage.compactMap { if case .file(let offset)? = $0 { offset } else { nil } }
    #expect(Set(offsets).count == offsets.count && offsets.count == stream.items.count)
  }
}
