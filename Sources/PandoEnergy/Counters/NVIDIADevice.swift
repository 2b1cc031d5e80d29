import Foundation

/// One of NVIDIA's devices, as far as energy goes.
package struct NVIDIADevice: Sendable {
  /// Millijoules since the driver was loaded; `nil` for devices before Volta, which do not count.
  package let millijoules: @Sendable () -> UInt64?
  /// The power at the moment in milliwatts; `nil` where it cannot be told.
  package let milliwatts: @Sendable () -> UInt32?

  /// A device from its two questions.
  package init(
    millijoules: @escaping @Sendable () -> UInt64?, milliwatts: @escaping @Sendable () -> UInt32?
  ) {
    self.millijoules = millijoules
    self.milliwatts = milliwatts
  }
}

/// NVIDIA's management library, opened when it is there; nothing of it is needed to build.
///
/// Names and signatures: NVML API reference, "Device queries".
package final class NVIDIALibrary: Sendable {
  private typealias Plain = @convention(c) () -> Int32
  private typealias Count = @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
  private typealias Handle = @convention(c) (UInt32, UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32
  private typealias Total = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>) -> Int32
  private typealias Power = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Int32

  /// The devices that this process sees.
  let devices: [NVIDIADevice]

  /// - Parameters:
  ///   - name: usually `libnvidia-ml.so.1`, which comes with the driver.
  ///   - visible: the value of `CUDA_VISIBLE_DEVICES`, if any: numbers of devices that count.
  /// - Returns: `nil` where there is no such library or no driver.
  package init?(_ name: String, visible: String? = nil) {
    guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    func function<T>(_ symbol: String, as type: T.Type) -> T? {
      dlsym(library, symbol).map { unsafeBitCast($0, to: type) }
    }
    guard let start = function("nvmlInit_v2", as: Plain.self),
      let count = function("nvmlDeviceGetCount_v2", as: Count.self),
      let handle = function("nvmlDeviceGetHandleByIndex_v2", as: Handle.self),
      let power = function("nvmlDeviceGetPowerUsage", as: Power.self), start() == 0
    else {
      dlclose(library)
      return nil
    }
    let total = function("nvmlDeviceGetTotalEnergyConsumption", as: Total.self)
    var number: UInt32 = 0
    guard count(&number) == 0 else { return nil }
    devices = Self.indices(count: number, visible: visible).compactMap { index in
      var device: UnsafeMutableRawPointer?
      guard handle(index, &device) == 0 else { return nil }
      // A pointer is not sendable by its type; NVML's functions may be called from any thread.
      let address = UInt(bitPattern: device)
      return NVIDIADevice(
        millijoules: {
          var value: UInt64 = 0
          guard let total, total(UnsafeMutableRawPointer(bitPattern: address), &value) == 0 else {
            return nil
          }
          return value
        },
        milliwatts: {
          var value: UInt32 = 0
          return power(UnsafeMutableRawPointer(bitPattern: address), &value) == 0 ? value : nil
        })
    }
  }

  /// The devices that count: all, or those that `CUDA_VISIBLE_DEVICES` names by number. It may also name them by
  /// identifier, and then all count.
  package static func indices(count: UInt32, visible: String?) -> [UInt32] {
    let all = Array(0..<min(count, 1024))
    guard let visible else { return all }
    let names = visible.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    guard names.allSatisfy({ Int($0) != nil }) else { return all }
    // CUDA stops at the first number that there is not.
    return names.prefix { UInt32($0).map { $0 < count } ?? false }.compactMap { UInt32($0) }
  }
}
