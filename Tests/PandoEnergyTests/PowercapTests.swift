import Foundation
import PandoEnergy
import Testing

private func meter(_ tree: FakeTree, isFirstOnHost: Bool = true) -> EnergyMeter {
  EnergyMeter(
    sources: EnergySources(
      powercap: tree.url, cpuinfo: tree.url.appending(path: "cpuinfo"), nvidia: nil),
    threads: 1, isFirstOnHost: isFirstOnHost)
}

@Test func packagesAndMemoryCountOnce() throws {
  let tree = try FakeTree()
  // Two packages with their parts, the platform around them, and the first package by another way.
  let zones: [(String, String)] = [
    ("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "dram"),
    ("intel-rapl:1", "package-1"), ("intel-rapl:1:0", "dram"), ("intel-rapl:2", "psys"),
    ("intel-rapl-mmio:0", "package-0"), ("intel-rapl-mmio:0:0", "dram"),
  ]
  for (id, name) in zones { try tree.set(id, name, microjoules: 1_000_000) }
  let meter = meter(tree)
  for (id, name) in zones { try tree.set(id, name, microjoules: 4_000_000) }
  let tally = meter.tally
  #expect(tally.parts.mapValues(\.joules) == [.package: 6, .memory: 6])
  #expect(tally.method == .measured)
  #expect(abs(tally.total.error - (6 * 0.05 + 6 * 0.2)) < 1e-9)
  #expect(meter.problem == nil)
  // What was told is not told again.
  #expect(meter.tally.total.joules == 12)
}

@Test func counterThatStartsAgainLosesNothing() throws {
  let tree = try FakeTree()
  try tree.set("intel-rapl:0", "package-0", microjoules: 9_000_000, range: 10_000_000)
  let meter = meter(tree)
  try tree.set("intel-rapl:0", "package-0", microjoules: 500_000, range: 10_000_000)
  #expect(meter.tally.total.joules == 1.5)
  try tree.set("intel-rapl:0", "package-0", microjoules: 400_000, range: 10_000_000)
  #expect(abs(meter.tally.total.joules - 11.4) < 1e-9)
}

@Test func unreadableCounterIsToldAndModelled() throws {
  let tree = try FakeTree()
  try tree.set("intel-rapl:0", "package-0", microjoules: 1)
  try tree.set("intel-rapl:1", "package-1", microjoules: 1)
  // Permissions do not hold for root, who may run this; a folder cannot be read by anyone.
  let counter = tree.url.appending(path: "intel-rapl:1/energy_uj")
  try FileManager.default.removeItem(at: counter)
  try FileManager.default.createDirectory(at: counter, withIntermediateDirectories: true)
  let meter = meter(tree)
  #expect(meter.problem?.contains("intel-rapl:1/energy_uj cannot be read: Is a directory") == true)
  #expect(meter.description.hasPrefix("a model of"))
  var sum = 0.0
  for index in 1...200_000 { sum += 1 / Double(index) }
  #expect(sum > 0 && meter.tally.method == .model)
  #expect(meter.tally.total.joules > 0)
}

@Test func counterWithoutNumberIsTold() throws {
  let tree = try FakeTree()
  try tree.set("intel-rapl:0", "package-0", microjoules: 1)
  try Data("many".utf8).write(to: tree.url.appending(path: "intel-rapl:0/energy_uj"))
  #expect(meter(tree).problem?.contains("expected a number of microjoules, got 'many'") == true)
}

@Test func counterThatFailsLaterTellsOnceItIsBack() throws {
  let tree = try FakeTree()
  try tree.set("intel-rapl:0", "package-0", microjoules: 1_000_000)
  let meter = meter(tree)
  try Data().write(to: tree.url.appending(path: "intel-rapl:0/energy_uj"))
  #expect(meter.tally.total.joules == 0)
  try tree.set("intel-rapl:0", "package-0", microjoules: 3_000_000)
  #expect(meter.tally.total.joules == 2)
}

@Test func onlyOneProcessOfAHostReadsItsCounters() throws {
  let tree = try FakeTree()
  try tree.set("intel-rapl:0", "package-0", microjoules: 0)
  let (first, second) = (meter(tree), meter(tree, isFirstOnHost: false))
  try tree.set("intel-rapl:0", "package-0", microjoules: 7_000_000)
  #expect(first.tally.total.joules == 7)
  #expect(second.tally.total.joules == 0)
}

@Test func withoutCountersThereIsAModel() throws {
  let tree = try FakeTree()
  // The platform's counter alone is none of the processor.
  try tree.set("intel-rapl:0", "psys", microjoules: 0)
  let meter = meter(tree, isFirstOnHost: false)
  #expect(meter.problem == nil)
  #expect(meter.tally.method == .model)
  #expect(meter.tally.total.error > 0)
}
