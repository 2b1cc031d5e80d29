import Foundation

/// Finds programs as a shell would.
enum ProgramSearch {
  /// The file that a name stands for; a name with a slash is a path itself.
  static func find(_ name: String, path: String?) -> String? {
    if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
    return (path ?? "/usr/bin:/bin").split(separator: ":").lazy.map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }
}
