import CMPI

/// Why ranks cannot be processes here.
public struct MPIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and what to do.
  public let description: String
  /// An error with its text.
  public init(_ description: String) { self.description = description }

  /// How to get Open MPI.
  package static let advice =
    "install Open MPI (Debian and Ubuntu: sudo apt-get install openmpi-bin), or run on one rank"

  /// The library's own words for one of its codes, where it is not success.
  init?(_ code: Int32, _ action: String) {
    guard code != 0 else { return nil }
    self.init("MPI cannot \(action): \(Self.words(code))")
  }

  static func words(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    pmpi_error(code, &text)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
