import Foundation

/// What of a program's memory lies in files, is fetched ahead of its use and released behind it. Results are the same to
/// the bit.
public struct Offload: Hashable, Sendable {
  /// The places of inputs whose buffers lie in an `OffloadFile`.
  public var inputs: Set<Int>
  /// The folder of a file for intermediate values that wait for long; `nil` where all are in memory.
  public var values: URL?
  /// Whether the system's cache may keep what has been released; see `OffloadFile`.
  public var isCached: Bool
  /// Whether the program is only planned: there is then no file, and it cannot run.
  public var isPlan: Bool
  /// Smaller values stay in memory, in bytes.
  public var smallestValue = OffloadFile.alignment

  /// Nothing is offloaded unless said.
  public init(inputs: Set<Int> = [], values: URL? = nil, isCached: Bool = true, isPlan: Bool = false) {
    (self.inputs, self.values, self.isCached, self.isPlan) = (inputs, values, isCached, isPlan)
  }

  /// Whether there is anything in files.
  public var isEmpty: Bool { inputs.isEmpty && values == nil }
}
