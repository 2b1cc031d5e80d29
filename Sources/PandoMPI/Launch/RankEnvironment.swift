/// Who this process is in a run of several ranks, as whoever started it says in the environment: `mpirun` (which
/// Kubernetes' MPI Operator uses too), or Slurm's `srun` with PMIx.
public struct RankEnvironment: Hashable, Sendable {
  /// This process's number.
  public let rank: Int
  /// How many ranks there are, where it is said.
  public let size: Int?
  /// How many of them are on this host, where it is said.
  public let localSize: Int?
  /// How often the ranks of this run were started again.
  public let restarts: Int
  /// Columns of the terminal that the first rank's standard error ends up on; `nil` where it is none.
  public let terminalColumns: Int?
  /// The variable by which a launcher says how wide the terminal is.
  static let terminalVariable = "PANDO_TERMINAL"
  /// The variable by which a supervisor says how often it has started the ranks again.
  static let restartsVariable = "PANDO_RESTARTS"

  /// Reads the environment.
  ///
  /// - Returns: `nil` for a process that no one has started as a rank. A process in a Slurm allocation is none unless
  ///   `srun` started it with an interface that MPI understands.
  public init?(_ environment: [String: String]) {
    func number(_ names: String...) -> Int? {
      names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first
    }
    terminalColumns = number(Self.terminalVariable).flatMap { $0 > 0 ? $0 : nil }
    restarts = max(0, number(Self.restartsVariable) ?? 0)
    if let rank = number("OMPI_COMM_WORLD_RANK") {
      self.rank = rank
      size = number("OMPI_COMM_WORLD_SIZE")
      localSize = number("OMPI_COMM_WORLD_LOCAL_SIZE")
    } else if let rank = number("PMIX_RANK", "PMI_RANK") {
      self.rank = rank
      size = number("PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")
      localSize = Self.firstTasks(
        environment["SLURM_STEP_TASKS_PER_NODE"] ?? environment["SLURM_TASKS_PER_NODE"])
    } else {
      return nil
    }
  }

  /// The first number of Slurm's `2(x3),1`.
  private static func firstTasks(_ text: String?) -> Int? {
    text.flatMap { Int($0.prefix { $0.isNumber }) }
  }

  /// How many threads a rank gets unless it was said: an equal share of the cores that its host's ranks may use.
  ///
  /// - Parameter cores: the cores that this process may run on; where it was bound to its own, those are its share.
  /// - Parameter hostCores: the cores of the host.
  public func threads(cores: Int, hostCores: Int) -> Int {
    let isBound = cores < hostCores
    return isBound ? max(1, cores) : max(1, hostCores / max(1, localSize ?? 1))
  }
}
