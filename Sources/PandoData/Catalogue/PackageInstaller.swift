import Foundation

/// Gets data from the package managers that carry it.
enum PackageInstaller {
  /// Installs a Debian package, if this process may: as root, or by `sudo` without a password.
  ///
  /// - Throws: `DataError` holding the exact command for a person to give, where it may not or the command fails.
  static func installDebian(_ package: String, progress: (String) -> Void) throws {
    let install = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    let command = "sudo " + install.joined(separator: " ")
    guard try runCommand("apt-get", ["--version"]).status == 0 else {
      throw DataError(
        .notInstalled, at: "Debian package \(package)", "cannot be installed here: there is no apt-get",
        mend: "on a Debian machine, run: \(command)")
    }
    let asRoot: [String]
    if geteuid() == 0 {
      asRoot = []
    } else if try runCommand("sudo", ["-n", "true"]).status == 0 {
      asRoot = ["sudo", "-n"]
    } else {
      throw DataError(
        .notInstalled, at: "Debian package \(package)", "is not installed, and installing it needs root",
        mend: "run: \(command)")
    }
    progress("installing the Debian package \(package)")
    if try run(asRoot + install).status == 0 { return }
    // A fresh machine has no package lists yet.
    progress("updating the package lists")
    _ = try run(asRoot + ["apt-get", "update"])
    let result = try run(asRoot + install)
    guard result.status == 0 else {
      throw DataError(
        .system, at: "Debian package \(package)", "cannot be installed: \(result.complaint)",
        mend: "see what this says: \(command)")
    }
  }

  private static func run(_ words: [String]) throws -> CommandResult {
    try runCommand(words[0], Array(words.dropFirst()), environment: ["DEBIAN_FRONTEND": "noninteractive"])
  }

  /// One built form of a Python package, pinned.
  struct Wheel {
    let package: String
    let version: String
    let fileName: String
    let sha256: String
    /// What makes pip choose this very file on any machine.
    let platformArguments: [String]
  }

  /// Downloads a wheel into `folder` with pip and checks it.
  ///
  /// Where there is no pip, the Debian package that has it is installed first.
  ///
  /// - Throws: `DataError` where there is no pip to be had, or it fails, or what it brought is not the pinned file.
  static func download(_ wheel: Wheel, to folder: URL, progress: (String) -> Void) throws -> URL {
    if try !hasPip() { try installDebian("python3-pip", progress: progress) }
    guard try hasPip() else {
      throw DataError(
        .notInstalled, at: "PyPI wheel \(wheel.package)",
        "cannot be downloaded: 'python3 -m pip' does not work",
        mend: "put a python3 that has pip first on the PATH")
    }
    progress("downloading \(wheel.fileName) from PyPI")
    let result = try runCommand(
      "python3",
      ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
        + ["--only-binary=:all:"] + wheel.platformArguments
        + ["--dest", folder.path, "\(wheel.package)==\(wheel.version)"])
    guard result.status == 0 else {
      throw DataError(
        .system, at: "PyPI wheel \(wheel.package)", "cannot be downloaded: \(result.complaint)",
        mend: "check the network and try again")
    }
    let url = folder.appendingPathComponent(wheel.fileName)
    let digest = try MappedFile(url).withBytes { SHA256.hexDigest(of: $0) }
    guard digest == wheel.sha256 else {
      throw DataError(
        .malformed, at: wheel.fileName, "has SHA-256 \(digest), expected \(wheel.sha256)",
        mend: "do not use it, and ask where your pip downloads from")
    }
    return url
  }
}

private func hasPip() throws -> Bool {
  try runCommand("python3", ["-m", "pip", "--version"]).status == 0
}

/// Calls `body` with a new folder inside `parent`, which is removed afterwards.
func withTemporaryFolder<Result>(in parent: URL, _ body: (URL) throws -> Result) throws -> Result {
  let folder = parent.appendingPathComponent(".partial-\(UUID().uuidString)")
  try createFolder(folder)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// Creates a folder and those that hold it, if need be.
func createFolder(_ folder: URL) throws {
  do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
    throw DataError(
      .system, at: folder.path, "cannot be created: \(error.localizedDescription)",
      mend: "choose another data folder with PANDO_DATA")
  }
}
