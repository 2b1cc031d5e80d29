import Foundation
import PandoEnergy
import Testing

private func cpuinfo(_ lines: [String], count: Int) -> String {
  (0..<count).map { (["processor\t: \($0)"] + lines).joined(separator: "\n") + "\n\n" }.joined()
}

private func intel(_ model: Int) -> [String] {
  ["vendor_id\t: GenuineIntel", "cpu family\t: 6", "model\t\t: \(model)", "model name\t: Intel(R) Xeon(R)"]
}

private func amd(_ family: Int, _ model: Int, _ name: String) -> [String] {
  [
    "vendor_id\t: AuthenticAMD", "cpu family\t: \(family)", "model\t\t: \(model)",
    "model name\t: AMD \(name)",
  ]
}

@Test(arguments: [
  (intel(0x55), "Intel Xeon Scalable, 1st and 2nd generation"),
  (intel(0x8F), "Intel Xeon Scalable, 4th generation"), (intel(0x9E), "desktop or portable"),
  (amd(0x17, 0x31, "EPYC 7742"), "AMD EPYC, 2nd generation"),
  (amd(0x19, 0x01, "EPYC 7763"), "AMD EPYC, 3rd generation"),
  (amd(0x19, 0x11, "EPYC 9654"), "AMD EPYC, 4th generation"),
  (amd(0x1A, 0x02, "EPYC"), "AMD EPYC, 5th generation"),
  (amd(0x19, 0x61, "EPYC 4344P"), "desktop or portable"),
  (amd(0x19, 0x21, "Ryzen 9 5950X"), "desktop or portable"),
  (["CPU implementer\t: 0x41", "CPU part\t: 0xd0c"], "Arm server"),
  (["CPU implementer\t: 0x41", "CPU part\t: 0xd03"], "processor of an unknown kind"),
  (["vendor_id\t: HygonGenuine"], "processor of an unknown kind"),
])
func processorIsRecognized(_ lines: [String], _ name: String) throws {
  let tree = try FakeTree()
  let model = ProcessorModel(cpuinfo: try tree.cpuinfo(cpuinfo(lines, count: 2)))
  #expect(model.name == name)
  #expect(model.cores == 2)
}

@Test func missingDescriptionIsAnUnknownProcessor() {
  let model = ProcessorModel(cpuinfo: URL(fileURLWithPath: "/nowhere/cpuinfo"))
  #expect(model.name == "processor of an unknown kind")
  #expect(model.cores >= 1)
}

@Test func energyIsPowerTimesTime() throws {
  let tree = try FakeTree()
  // Eight hardware threads on four cores.
  let lines = amd(0x19, 0x01, "EPYC 7763") + ["siblings\t: 8", "cpu cores\t: 4"]
  let model = ProcessorModel(cpuinfo: try tree.cpuinfo(cpuinfo(lines, count: 8)))
  #expect(model.cores == 4)
  #expect(abs(model.energy(seconds: 10, busyThreads: 2).joules - 10 * 2 * 3.9) < 1e-9)
  // Two threads of one core take no more than the core.
  #expect(model.energy(seconds: 10, busyThreads: 8) == model.energy(seconds: 10, busyThreads: 4))
  // Idle threads take the idle share, and half-busy ones lie between.
  #expect(abs(model.energy(seconds: 10, threads: 2, busySeconds: 0).joules - 0.23 * 78) < 1e-9)
  #expect(abs(model.energy(seconds: 10, threads: 2, busySeconds: 10).joules - (0.23 + 0.77 / 2) * 78) < 1e-9)
  #expect(abs(model.relativeError - ((0.4 / 3.9) * (0.4 / 3.9) + 0.04).squareRoot()) < 1e-9)
}

@Test func virtualMachinesAreLessCertainAndGivenWattsMoreSo() throws {
  let tree = try FakeTree()
  let plain = ProcessorModel(cpuinfo: try tree.cpuinfo(cpuinfo(intel(0x6A), count: 1)))
  let file = try tree.cpuinfo(cpuinfo(intel(0x6A) + ["flags\t: fpu hypervisor sse"], count: 1))
  let virtual = ProcessorModel(cpuinfo: file)
  let given = ProcessorModel(cpuinfo: file, wattsPerCore: 5)
  #expect(plain.relativeError < virtual.relativeError)
  #expect(given.relativeError < plain.relativeError && given.wattsPerCore == 5)
}
