import Foundation
import Pando

/// What a plan for several ranks knows of the machine that they run on.
public struct PlanMachine: Sendable {
  /// What one rank can do while as many others work as there is room for.
  public var ceilings: Ceilings
  /// What exchanges between its ranks take.
  public var link: LinkTimes
  /// Cores that the ranks share.
  public var cores: Int
  /// Bytes of memory that they share.
  public var memoryBytes: Int
  /// Whether ceilings and link were measured; otherwise they are round figures.
  public var isCalibrated: Bool

  /// A machine from its figures; by default this one's cores and memory.
  public init(
    ceilings: Ceilings = Ceilings(), link: LinkTimes = LinkTimes(),
    cores: Int = ProcessInfo.processInfo.activeProcessorCount,
    memoryBytes: Int = Int(ProcessInfo.processInfo.physicalMemory), isCalibrated: Bool = false
  ) {
    (self.ceilings, self.link, self.cores) = (ceilings, link, max(1, cores))
    (self.memoryBytes, self.isCalibrated) = (memoryBytes, isCalibrated)
  }

  /// Threads of each of `ranks` ranks, unless it was said: an equal share of the cores.
  public func threads(ranks: Int) -> Int { max(1, cores / max(1, ranks)) }

  /// How often each core is shared by ranks that all want it.
  func crowding(ranks: Int, threads: Int) -> Double { max(1, Double(ranks * threads) / Double(cores)) }

  /// Whether each rank has a core that its threads leave free: exchanges then go on beside them. Otherwise they take turns
  /// with the work that they were to hide behind.
  func hidesExchanges(ranks: Int, threads: Int) -> Bool { ranks * (threads + 1) <= cores }
}
