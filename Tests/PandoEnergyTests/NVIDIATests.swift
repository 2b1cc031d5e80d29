import PandoEnergy
import Synchronization
import Testing

/// A device whose figures a test sets.
private final class FakeDevice: Sendable {
  let total = Mutex<UInt64?>(nil)
  let power = Mutex<UInt32?>(nil)

  init(total: UInt64?, power: UInt32?) {
    self.total.withLock { $0 = total }
    self.power.withLock { $0 = power }
  }

  var device: NVIDIADevice {
    NVIDIADevice(
      millijoules: { self.total.withLock { $0 } }, milliwatts: { self.power.withLock { $0 } })
  }
}

@Test func countersOfDevicesAddUp() throws {
  let (first, second) = (FakeDevice(total: 1000, power: 1), FakeDevice(total: 5_000_000, power: 1))
  var reader = try #require(NVIDIAReader([first.device, second.device]))
  first.total.withLock { $0 = 4000 }
  second.total.withLock { $0 = 5_002_000 }
  #expect(reader.read(after: 1).parts.mapValues(\.joules) == [.nvidia: 5])
  // A driver that was loaded anew.
  first.total.withLock { $0 = 500 }
  #expect(reader.read(after: 1).total.joules == 0.5)
}

@Test func powerIsSampledWhereNothingCounts() throws {
  let old = FakeDevice(total: nil, power: 100_000)
  var reader = try #require(NVIDIAReader([old.device]))
  #expect(reader.interval < 1)
  old.power.withLock { $0 = 200_000 }
  // Between the two samples the power rises in a line.
  #expect(reader.read(after: 2).total.joules == 300)
  #expect(reader.read(after: 0.5).total.joules == 100)
}

@Test func devicesThatTellNothingAreNone() {
  #expect(NVIDIAReader([FakeDevice(total: nil, power: nil).device]) == nil)
  #expect(NVIDIAReader([]) == nil)
  #expect(NVIDIALibrary("/nowhere/libnvidia-ml.so.1") == nil)
}

@Test func onlyVisibleDevicesCount() {
  #expect(NVIDIALibrary.indices(count: 3, visible: nil) == [0, 1, 2])
  #expect(NVIDIALibrary.indices(count: 3, visible: "2, 0") == [2, 0])
  #expect(NVIDIALibrary.indices(count: 3, visible: "1,7,0") == [1])
  #expect(NVIDIALibrary.indices(count: 3, visible: "-1") == [])
  #expect(NVIDIALibrary.indices(count: 3, visible: "") == [])
  #expect(NVIDIALibrary.indices(count: 3, visible: "GPU-7c8f") == [0, 1, 2])
}
