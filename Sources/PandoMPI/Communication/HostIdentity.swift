import Foundation

/// Which host a process runs on, as far as sharing memory goes: two processes share one if they run on one kernel and
/// see the same processes, and have the same network, so that containers and namespaces count as hosts of their own.
enum HostIdentity {
  /// The same number in all processes of a host.
  static var number: Int64 {
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    let spaces = ["pid", "net"].map {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\($0)")) ?? ""
    }
    // FNV-1a; the standard library's hashes differ from process to process.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in ([boot] + spaces).joined(separator: "|").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return Int64(truncatingIfNeeded: hash)
  }
}
