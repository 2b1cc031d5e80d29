import Foundation
import PandoEngine

/// What all ranks of a run must have alike.
public struct RunAgreement: Sendable {
  private struct Item {
    let name: String
    let digest: UInt64
    let mend: String
  }
  private var items: [Item] = []
  private static let mend = "start all ranks with the same"

  /// Nothing yet.
  public init() {}

  /// Adds a text, such as a recipe with all that was set in it.
  ///
  /// - Parameter mend: what to do where ranks differ; by default to start them with the same.
  public mutating func add(_ name: String, text: String, mend: String? = nil) {
    let digest = Array(text.utf8).withUnsafeBytes(Self.digest)
    items.append(Item(name: name, digest: digest, mend: mend ?? Self.mend))
  }

  /// Adds a file that each rank reads where it runs: its size, and its first and last mebibyte.
  public mutating func add(_ name: String, file: URL, mend: String? = nil) {
    let data = try? Data(contentsOf: file, options: .alwaysMapped)
    var digest: UInt64 = 0
    data?.withUnsafeBytes { bytes in
      let end = min(bytes.count, 1 << 20)
      for part in [bytes[..<end], bytes[(bytes.count - end)...]] {
        digest = digest &* 31 &+ Self.digest(UnsafeRawBufferPointer(rebasing: part))
      }
      digest = digest &* 31 &+ UInt64(bytes.count)
    }
    items.append(Item(name: name, digest: digest, mend: mend ?? Self.mend))
  }

  /// Adds the program that this process runs.
  public mutating func addProgram() {
    let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)
    items.append(Item(name: "program", digest: data?.withUnsafeBytes(Self.digest) ?? 0, mend: Self.mend))
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
          ? "rank \(names) has another \(item.name) than rank 0; \(item.mend)"
          : "ranks \(names) have another \(item.name) than rank 0; \(item.mend)")
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
