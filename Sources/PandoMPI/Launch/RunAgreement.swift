import Foundation
import PandoEngine

/// What all ranks of a run must have alike.
public struct RunAgreement: Sendable {
  private var items: [(name: String, digest: UInt64)] = []

  /// Nothing yet.
  public init() {}

  /// Adds a text, such as a recipe with all that was set in it.
  public mutating func add(_ name: String, text: String) {
    items.append(
      (
        name,
        text.utf8.withContiguousStorageIfAvailable { Self.digest(UnsafeRawBufferPointer($0)) }
          ?? Array(text.utf8).withUnsafeBytes(Self.digest)
      ))
  }

  /// Adds the program that this process runs.
  public mutating func addProgram() {
    let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    items.append(("program", data?.withUnsafeBytes(Self.digest) ?? 0))
  }

  /// Compares with all ranks. Collective.
  ///
  /// - Throws: `LaunchError` on all ranks, which names the ranks that have something else than rank 0.
  public func check(_ communicator: any Communicator) throws {
    let size = communicator.size
    let mine = items.map(\.digest)
    var all = [UInt64](repeating: 0, count: mine.count * size)
    try mine.withUnsafeBytes { source in
      try all.withUnsafeMutableBytes { destination in
        try communicator.allGather(source, into: destination, label: "what all ranks must have alike")
      }
    }
    for (index, item) in items.enumerated() {
      let others = (0..<size).filter { all[$0 * mine.count + index] != all[index] }
      guard !others.isEmpty else { continue }
      let names = others.map(String.init).joined(separator: ", ")
      throw LaunchError(
        others.count == 1
          ? "rank \(names) has another \(item.name) than rank 0; start all ranks with the same"
          : "ranks \(names) have another \(item.name) than rank 0; start all ranks with the same")
    }
  }

  /// Tells different bytes apart; no defence against someone who means to deceive.
  private static func digest(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(bytes.count)
    var index = 0
    while index + 8 <= bytes.count {
      hash = (hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
      index += 8
    }
    while index < bytes.count {
      hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
      index += 1
    }
    return hash ^ hash >> 32
  }
}
