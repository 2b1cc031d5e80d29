import PandoIR

/// How long exchanges between the ranks of one host take: for each kind a line, so much to begin and so much for each
/// byte (the α–β model; Thakur et al. 2005, "Optimization of collective communication operations in MPICH").
///
/// Lines are those of two ranks; more ranks are reckoned from what each of them then reads and writes.
public struct LinkTimes: Hashable, Sendable, Codable {
  /// One kind of exchange.
  public struct Line: Hashable, Sendable, Codable {
    /// Seconds that any takes, however small.
    public var latency: Double
    /// Seconds for each byte of the whole tensor.
    public var perByte: Double

    /// A line from its figures.
    public init(latency: Double, perByte: Double) { (self.latency, self.perByte) = (latency, perByte) }
  }

  /// The line of each kind.
  public var lines: [ExchangeKind: Line]
  /// Bytes of memory that a process takes only to be a rank: the library of messages, and what it sets up.
  public var processBytes: Int

  /// Lines from measurements.
  public init(lines: [ExchangeKind: Line], processBytes: Int) {
    (self.lines, self.processBytes) = (lines, processBytes)
  }

  /// Round figures of two cores that share memory, for a machine that nobody has measured.
  public init() {
    let line = Line(latency: 3e-6, perByte: 1 / 4e9)
    lines = Dictionary(uniqueKeysWithValues: ExchangeKind.allCases.map { ($0, line) })
    processBytes = 20 << 20
  }

  /// About how long an exchange takes.
  ///
  /// - Parameters:
  ///   - bytes: of the whole tensor: what goes into a reduction or an all-to-all, what comes out of a gathering.
  ///   - ranks: how many take part.
  public func seconds(of kind: ExchangeKind, bytes: Int, ranks: Int) -> Double {
    guard ranks > 1, let line = lines[kind] else { return 0 }
    let size = Double(ranks)
    // What a rank writes for the others and reads of them, over the same between two.
    let share: Double =
      switch kind {
      // In shares, each of which is handed round once more.
      case .allReduce: ranks == 2 ? 1 : 1.5
      case .reduceScatter, .allToAll: (size - 1) / size * 2
      case .allGather, .send: 1
      }
    let phases: Double = kind == .allReduce && ranks > 2 ? 2 : 1
    return phases * line.latency + share * Double(bytes) * line.perByte
  }
}
