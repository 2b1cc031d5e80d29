import Foundation

/// How to start the ranks of a run with Open MPI's `mpirun`.
public struct Launcher: Sendable {
  /// How many ranks.
  public var ranks: Int
  /// Where; empty for this host.
  public var hosts: [Host]
  /// Threads of each rank; `nil` for an equal share of its host's cores.
  public var threads: Int?
  /// The program that each rank runs, found under the same path on each host.
  public var program: String
  /// Its arguments.
  public var arguments: [String]
  /// The environment of `mpirun` and, on this host, of the ranks.
  public var environment: [String: String]
  /// Columns of the terminal on which standard error is seen; `nil` where it is none. The ranks write to a pipe and
  /// cannot tell.
  public var terminalColumns: Int?
  /// What the ranks of all hosts are told by variables of their environment.
  var variables: [String: String] = [:]
  /// The variables of `environment` that ranks on other hosts get too.
  public var forwarded: Set<String>
  /// Cores of this host that the ranks may use; as the system counts, so hardware threads where cores have several.
  public var cores: Int
  /// Cores that this host has. Where the ranks may not use all, they are not given cores of their own: `mpirun` would
  /// take the first.
  public var hostCores: Int

  /// A launcher.
  public init(
    ranks: Int, hosts: [Host] = [], threads: Int? = nil, program: String, arguments: [String],
    environment: [String: String] = ProcessInfo.processInfo.environment,
    forwarded: Set<String> = ["OMP_NUM_THREADS", "GOMP_SPINCOUNT", "LD_LIBRARY_PATH"],
    cores: Int = ProcessInfo.processInfo.activeProcessorCount,
    hostCores: Int = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  ) {
    self.ranks = ranks
    self.hosts = hosts
    self.threads = threads
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.forwarded = forwarded
    self.cores = cores
    self.hostCores = hostCores
  }

  /// A program with its arguments and environment.
  package struct Command: Hashable, Sendable {
    package var program: String
    package var arguments: [String]
    package var environment: [String: String]
  }

  /// Variable by which whoever starts ranks through a shell of his own says how; Open MPI's own setting.
  private static let agentVariable = "OMPI_MCA_plm_rsh_agent"

  /// Checks what can be known before the start: that there is an `mpirun`, that the ranks fit the hosts, and that each
  /// host answers.
  public func check() throws(LaunchError) {
    guard ranks > 0 else { throw LaunchError("--ranks \(ranks): a run needs at least one rank") }
    _ = try mpirun()
    guard !hosts.isEmpty else { return }
    _ = try Host.spread(ranks, over: hosts)
    let silent = try silentHosts()
    guard !silent.isEmpty else { return }
    let names = silent.map { "\($0.host.name) (\($0.reason))" }.joined(separator: ", ")
    throw LaunchError(
      "--hosts: no answer from \(names); "
        + "check that '\(agent.joined(separator: " ")) HOST true' works without a password")
  }

  private var agent: [String] {
    environment[Self.agentVariable].map { $0.split(separator: " ").map(String.init) }
      ?? ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=4"]
  }

  /// The hosts that do not answer, and why; takes seconds at the most.
  func silentHosts() throws(LaunchError) -> [(host: Host, reason: String)] {
    let others = hosts.filter { !Self.isThisHost($0.name) }
    guard others.isEmpty || ProgramSearch.find(agent[0], path: environment["PATH"]) != nil else {
      throw LaunchError(
        "--hosts: there is no \(agent[0]) to reach other hosts with; "
          + "install it (Debian and Ubuntu: sudo apt-get install openssh-client)")
    }
    return try HostProbe.silent(others, agent: agent, environment: environment)
  }

  /// The file of Open MPI's `mpirun`, where it is on the path.
  public static func mpirun(path: String?) -> String? { ProgramSearch.find("mpirun", path: path) }

  private func mpirun() throws(LaunchError) -> String {
    guard let path = Self.mpirun(path: environment["PATH"]) else {
      throw LaunchError("--ranks \(ranks): there is no mpirun on the PATH; \(MPIError.advice)")
    }
    return path
  }

  static func isThisHost(_ name: String) -> Bool {
    name == "localhost" || name == "127.0.0.1" || name == ProcessInfo.processInfo.hostName
  }

  /// The command that starts the ranks.
  ///
  /// - Parameters:
  ///   - scratch: a folder for what MPI's processes on this host share while they run.
  ///   - run: a name by which the run's processes can be told from others.
  package func command(scratch: String, run: String) throws(LaunchError) -> Command {
    var flags = ["-n", "\(ranks)"]
    var told = self.variables
    told["PANDO_RUN"] = run
    told[RankEnvironment.terminalVariable] = terminalColumns.map(String.init) ?? "0"
    var variables = environment.merging(told) { $1 }
    // A container's only user is often root; MPI asks twice whether that is meant.
    variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    let placed = try hosts.isEmpty ? [] : Host.spread(ranks, over: hosts)
    if hosts.isEmpty {
      let share = threads ?? max(1, cores / ranks)
      variables["OMP_NUM_THREADS"] = "\(share)"
      // Each rank gets cores of its own where there are enough. Left to itself MPI gives each rank one, whatever
      // its threads.
      if share * ranks <= cores, cores == hostCores {
        flags += ["--use-hwthread-cpus", "--map-by", "slot:PE=\(share)", "--bind-to", "hwthread"]
      } else {
        flags += ["--bind-to", "none", "--oversubscribe"]
      }
      variables["OMPI_MCA_orte_tmpdir_base"] = scratch
      variables["OMPI_MCA_btl_vader_backing_directory"] = scratch
    } else {
      flags += ["--host", placed.map { "\($0.name):\($0.ranks!)" }.joined(separator: ",")]
      // How many cores another host has is for its ranks to see.
      flags += ["--bind-to", "none"]
      if let threads { variables["OMP_NUM_THREADS"] = "\(threads)" }
      let names = forwarded.union(told.keys).filter { variables[$0] != nil }.sorted()
      flags += names.flatMap { ["-x", $0] }
    }
    return Command(
      program: try mpirun(), arguments: flags + [program] + arguments, environment: variables)
  }
}
