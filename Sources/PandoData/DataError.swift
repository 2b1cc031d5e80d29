import Foundation

/// Data could not be read, written, found or used.
///
/// One message for people: where, what was found against what was expected, and what to do.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// What went wrong, for callers that treat some mistakes apart.
  public enum Kind: Hashable, Sendable {
    /// The file, array or data set named does not exist.
    case notFound
    /// The operating system refused to read, write or run something.
    case system
    /// The bytes break their format: truncated, corrupt, or inconsistent with their own header.
    case malformed
    /// The format is right but uses a feature that is not read here.
    case unsupported
    /// The data are readable but cannot be used as asked: empty, too few, a label out of range.
    case invalid
    /// The data set is known but not on this machine.
    case notInstalled
  }

  /// What went wrong.
  public var kind: Kind
  /// The file (with its line where there is one), array or data set concerned.
  public var place: String
  /// What was found and what was expected.
  public var message: String
  /// What to do about it.
  public var mend: String?

  /// An error at `place`.
  public init(_ kind: Kind, at place: String, _ message: String, mend: String? = nil) {
    self.kind = kind
    self.place = place
    self.message = message
    self.mend = mend
  }

  /// The error of the last failed system call, which was doing `action`.
  package static func system(_ action: String, at place: String, code: Int32 = errno) -> DataError {
    let mend: String? =
      switch code {
      case ENOSPC, EDQUOT: "free some space and try again"
      case EACCES, EPERM, EROFS: "change the permissions or choose another path"
      default: nil
      }
    let kind: Kind = code == ENOENT ? .notFound : .system
    return DataError(kind, at: place, "cannot \(action): \(String(cString: strerror(code)))", mend: mend)
  }

  /// `path/file.npz: holds 3 bytes, expected 12; save it again`
  public var description: String { "\(place): \(message)" + (mend.map { "; \($0)" } ?? "") }

  /// The same text, for code that only knows `Error`.
  public var errorDescription: String? { description }
}
