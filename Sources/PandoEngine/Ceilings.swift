import PandoIR

/// What a machine can do at its best, by kind of work; figures of one process with its threads.
///
/// The time of an operation is a line: so much to start it, so much for each floating-point operation, so much for each
/// byte of its operands and results. Each kind of work has a line of its own (Williams et al. 2009, "Roofline", with
/// sums in place of the larger: arithmetic and traffic of real kernels overlap only in part). Near sizes that were
/// measured, a line bends towards what was seen there: kernels choose their ways by size.
public struct Ceilings: Hashable, Sendable, Codable {
  /// The times of one kind of work.
  public struct Line: Hashable, Sendable, Codable {
    /// Seconds that any operation takes, however small.
    public var start: Double
    /// Seconds for each floating-point operation.
    public var perOperation: Double
    /// Seconds for each byte of operands and results: from and to memory, and within the caches.
    public var perByte, perCachedByte: Double

    /// What was seen, against what the straight line says.
    public var bends: [CeilingBend]

    /// A line from its figures; 0 for what does not count.
    public init(
      start: Double, perOperation: Double, perByte: Double, perCachedByte: Double, bends: [CeilingBend] = []
    ) {
      (self.start, self.perOperation) = (start, perOperation)
      (self.perByte, self.perCachedByte) = (perByte, perCachedByte)
      self.bends = bends
    }

    /// Seconds of work by the straight line alone.
    public func straightSeconds(of cost: Cost, isCached: Bool) -> Double {
      start + Double(cost.flops) * perOperation + Double(cost.bytes) * (isCached ? perCachedByte : perByte)
    }

    /// Seconds of work.
    public func seconds(of cost: Cost, isCached: Bool) -> Double {
      straightSeconds(of: cost, isCached: isCached)
        * CeilingBend.factor(of: bends, flops: cost.flops, bytes: cost.bytes, isCached: isCached)
    }
  }

  /// The line of each kind of work on 32-bit numbers.
  public var lines: [Cost.Kind: Line]
  /// The same for operands of 16 bits, where it is another.
  public var shortLines: [Cost.Kind: Line]
  /// Bytes that the largest cache holds: a program that is no larger finds everything there, and a larger one what is
  /// small, for that was made or read a moment ago.
  public var cacheBytes: Int

  /// What the disk can do under files that memory is offloaded to; `nil` where nobody has measured it.
  public var disk: Disk?

  /// What a disk can do, in seconds for each byte.
  public struct Disk: Hashable, Sendable, Codable {
    /// From the disk into memory, and the other way.
    public var perByteRead, perByteWritten: Double
    /// Into the process from the system's cache, and out of it again.
    public var perByteCached: Double

    /// Rates from their figures; by default those of a plain solid-state disk.
    public init(
      perByteRead: Double = 1 / 500e6, perByteWritten: Double = 1 / 300e6, perByteCached: Double = 1 / 2e9
    ) {
      (self.perByteRead, self.perByteWritten) = (perByteRead, perByteWritten)
      self.perByteCached = perByteCached
    }
  }

  /// Ceilings from their figures.
  public init(lines: [Cost.Kind: Line], shortLines: [Cost.Kind: Line], cacheBytes: Int) {
    (self.lines, self.shortLines, self.cacheBytes) = (lines, shortLines, cacheBytes)
  }

  /// Round figures of a processor with two cores and wide vectors, for a machine that nobody has measured.
  public init() {
    func line(_ flops: Double) -> Line {
      Line(start: 2e-6, perOperation: 1 / flops, perByte: 1 / 40e9, perCachedByte: 1 / 150e9)
    }
    lines = [
      .product: line(300e9), .convolution: line(400e9), .stridedConvolution: line(300e9),
      .weightConvolution: line(300e9), .stridedWeightConvolution: line(300e9), .attention: line(200e9),
      .sweep: line(20e9),
    ]
    shortLines = [
      .product: line(600e9), .convolution: line(500e9), .stridedConvolution: line(500e9),
      .weightConvolution: line(500e9), .stridedWeightConvolution: line(500e9), .attention: line(300e9),
    ]
    cacheBytes = 8 << 20
  }

  /// About how long a node takes.
  ///
  /// - Parameter footprint: bytes of the program that it is a part of; many unless given.
  public func seconds(of node: Node, footprint: Int = .max) -> Double {
    if node.operation.traits.contains(.alias) { return 0 }
    let cost = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
    return seconds(of: cost, isShort: Self.isShort(node), footprint: footprint)
  }

  /// Whether a node works on numbers of 16 bits.
  public static func isShort(_ node: Node) -> Bool {
    node.operands.first.map { $0.type.dtype.isFloatingPoint && $0.type.dtype.byteCount == 2 } ?? false
  }

  /// Whether an operation's operands are in the caches when it comes to them.
  public func isCached(bytes: Int, footprint: Int) -> Bool {
    footprint <= cacheBytes || bytes <= cacheBytes / 16
  }

  /// About how long work takes.
  ///
  /// - Parameters:
  ///   - isShort: whether the operands are of a 16-bit type.
  ///   - footprint: bytes of the program that it is a part of.
  public func seconds(of cost: Cost, isShort: Bool = false, footprint: Int = .max) -> Double {
    guard let line = (isShort ? shortLines[cost.kind] : nil) ?? lines[cost.kind] else { return 0 }
    return line.seconds(of: cost, isCached: isCached(bytes: cost.bytes, footprint: footprint))
  }
}
