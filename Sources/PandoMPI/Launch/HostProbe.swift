import Foundation

/// Asks each host to run a program that does nothing, all at once, so that one that does not answer is named in
/// seconds; `mpirun` itself would wait for minutes and name none.
package enum HostProbe {
  /// - Parameters:
  ///   - agent: the command that runs a program on a host, `ssh` with its options; the host's name and the program
  ///     follow.
  ///   - seconds: how long a host may take.
  /// - Returns: why each host that did not answer did not.
  package static func silent(
    _ hosts: [Host], agent: [String], environment: [String: String], seconds: Double = 6
  ) throws(LaunchError) -> [(host: Host, reason: String)] {
    struct Probe {
      let host: Host
      let child: ChildProcess
      let errors: FileHandle
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pando-probe-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw LaunchError("the folder \(folder.path) cannot be made: \(error.localizedDescription)")
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    var probes: [Probe] = []
    for (index, host) in hosts.enumerated() {
      let file = folder.appendingPathComponent("\(index)")
      guard FileManager.default.createFile(atPath: file.path, contents: nil),
        let errors = FileHandle(forUpdatingAtPath: file.path)
      else { throw LaunchError("the file \(file.path) cannot be made") }
      let child = try ChildProcess(
        agent[0], agent.dropFirst() + [host.name, "true"], environment: environment,
        descriptors: [1: errors.fileDescriptor, 2: errors.fileDescriptor])
      probes.append(Probe(host: host, child: child, errors: errors))
    }
    let deadline = ContinuousClock.now + .seconds(seconds)
    var silent: [(host: Host, reason: String)] = []
    for probe in probes {
      let left = max(0, (deadline - ContinuousClock.now) / .seconds(1))
      let end = probe.child.wait(seconds: left)
      if end == .exited(0) { continue }
      if end == nil {
        probe.child.signalGroup(SIGKILL)
        _ = probe.child.wait(seconds: 1)
      }
      try? probe.errors.seek(toOffset: 0)
      let text = String(decoding: (try? probe.errors.readToEnd()) ?? Data(), as: UTF8.self)
      let last = text.split(separator: "\n").last.map(String.init)
      let reason = end == nil ? "no answer within \(Int(seconds)) s" : last ?? "the program could not be run"
      silent.append((probe.host, reason.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    return silent
  }
}
