import Foundation
import PandoOptimizers
import Testing

/// An entry of `schedules.json`; see scripts/golden/README.md.
private struct Entry: Decodable {
  let name: String
  // swift-format-ignore: AlwaysUseLowerCamelCase
  let learning_rate: Double
  let steps: Int
  let values: [Double]
}

private func entries() throws -> [String: Entry] {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("PandoNNTests/Golden/schedules.json")
  let list = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: file))
  return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0) })
}

private let schedules: [(name: String, schedule: any Schedule)] = [
  ("constant", ConstantSchedule()),
  ("linear", LinearDecay(steps: 8, final: 0.1)),
  ("cosine", CosineDecay(steps: 10, final: 0.1)),
  ("step", StepDecay(every: 4, gamma: 0.3)),
  ("one_cycle", OneCycle(steps: 20, rise: 0.3, start: 1 / 25, final: 1 / 25 / 1e4)),
  ("warmup_cosine", Warmup(3, then: CosineDecay(steps: 10))),
]

@Test(arguments: schedules.indices) func scheduleAgreesWithPyTorch(_ index: Int) throws {
  let (name, schedule) = schedules[index]
  let entry = try #require(try entries()[name])
  for (step, value) in entry.values.enumerated() {
    #expect(abs(schedule.factor(at: step) * entry.learning_rate - value) < 1e-12, "\(name), step \(step)")
  }
}

@Test func schedulesStayAtTheirEnd() {
  for schedule in [LinearDecay(steps: 5, final: 0.2), CosineDecay(steps: 5, final: 0.2)] as [any Schedule] {
    #expect(abs(schedule.factor(at: 5) - 0.2) < 1e-12 && abs(schedule.factor(at: 500) - 0.2) < 1e-12)
  }
  let cycle = OneCycle(steps: 10)
  #expect(abs(cycle.factor(at: 9) - 1e-4) < 1e-12 && abs(cycle.factor(at: 20) - 1e-4) < 1e-12)
}

@Test(arguments: [0, 1, 2, 3]) func shortRunsHaveFiniteFactors(_ steps: Int) {
  let all: [any Schedule] = [
    LinearDecay(steps: steps), CosineDecay(steps: steps), OneCycle(steps: steps),
    OneCycle(steps: steps, rise: 0),
    OneCycle(steps: steps, rise: 1), Warmup(2, then: CosineDecay(steps: steps - 2)),
  ]
  for schedule in all {
    for step in 0..<5 { #expect((0...1).contains(schedule.factor(at: step)), "\(schedule), step \(step)") }
  }
}

@Test func warmupRisesInALineToThePeak() {
  let schedule = Warmup(4, then: ConstantSchedule())
  #expect((0..<6).map { schedule.factor(at: $0) } == [0.2, 0.4, 0.6, 0.8, 1, 1])
  #expect(Warmup(0, then: ConstantSchedule()).factor(at: 0) == 1)
}
