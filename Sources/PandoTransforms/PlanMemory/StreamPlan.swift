/// What of a program's files is in memory while it runs: which stretches come when, and when they go.
///
/// A window slides over the steps that use files. It begins at the step at work and reaches as far ahead as its size
/// allows, at least to the next such step, so that what comes next is on its way while the present step works. What the
/// window takes in is fetched, what it leaves behind is released.
public struct StreamPlan: Hashable, Sendable {
  /// A stretch of a file.
  public struct Item: Hashable, Sendable {
    /// Where it is.
    public enum Place: Hashable, Sendable {
      /// The whole buffer of an input.
      case input(Int)
      /// So many bytes from the start of the program's own file.
      case value(offset: Int)
    }

    /// Where it is.
    public let place: Place
    /// Its length in bytes.
    public let byteCount: Int

    /// A stretch.
    public init(_ place: Place, byteCount: Int) { (self.place, self.byteCount) = (place, byteCount) }

    /// Whether it is the program's own.
    public var isValue: Bool { if case .value = place { true } else { false } }
  }

  /// That a step reads or writes a stretch.
  public struct Use: Hashable, Sendable {
    /// The place of the node in the program; the number of nodes stands for the copies at the end.
    public let step: Int
    /// Which item.
    public let item: Int
    /// Whether it is written.
    public let isWrite: Bool

    /// A use.
    public init(step: Int, item: Int, isWrite: Bool) {
      (self.step, self.item, self.isWrite) = (step, item, isWrite)
    }
  }

  /// A stretch that comes.
  public struct Fetch: Hashable, Sendable {
    /// Which item.
    public let item: Int
    /// Whether it is written before it goes again.
    public internal(set) var writes: Bool
    /// Whether the run has not used it before: what a value holds then does not matter.
    public let isFirst: Bool
  }

  /// A stretch that goes.
  public struct Release: Hashable, Sendable {
    /// Which item.
    public let item: Int
    /// Whether the run does not use it again.
    public let isLast: Bool
  }

  /// A step that uses files.
  public struct Stop: Hashable, Sendable {
    /// The place of its node.
    public let step: Int
    /// What is asked for once the stop before this one has let go; for the first stop when the run begins.
    public fileprivate(set) var fetches: [Fetch] = []
    /// How many fetches of the run must have ended before the step begins.
    public fileprivate(set) var arrivals = 0
    /// What goes when the step has ended.
    public fileprivate(set) var releases: [Release] = []
    fileprivate var items: [Int] = []
    fileprivate var written: Set<Int> = []
  }

  /// All stretches.
  public let items: [Item]
  /// The steps that use them, in order.
  public let stops: [Stop]
  /// The most bytes in memory at once.
  public let windowBytes: Int

  /// How far a window reaches beyond what it must hold: an eighth of everything, and at most this many bytes.
  public static let mostAhead = 64 << 20

  /// The plan for stretches and their uses, in any order.
  public init(_ items: [Item], _ uses: [Use]) {
    self.items = items
    var byStep: [Int: Stop] = [:]
    for use in uses {
      var stop = byStep[use.step] ?? Stop(step: use.step)
      if !stop.items.contains(use.item) { stop.items.append(use.item) }
      if use.isWrite { stop.written.insert(use.item) }
      byStep[use.step] = stop
    }
    var stops = byStep.values.sorted { $0.step < $1.step }
    let ahead = min(Self.mostAhead, items.reduce(0) { $0 + $1.byteCount } / 8)
    var lastStop = [Int](repeating: -1, count: items.count)
    for (place, stop) in stops.enumerated() { for item in stop.items { lastStop[item] = place } }

    // For each item the stops in the window that use it, and the fetch that brought it.
    var count = [Int](repeating: 0, count: items.count)
    var origin = [(stop: Int, fetch: Int)?](repeating: nil, count: items.count)
    var (held, peak, next, fetched) = (0, 0, 0, 0)
    for place in stops.indices {
      while next < stops.count {
        let fresh = stops[next].items.filter { count[$0] == 0 }
        let bytes = fresh.reduce(0) { $0 + items[$1].byteCount }
        guard next <= place + 1 || held + bytes <= ahead else { break }
        for item in fresh {
          let fetch = Fetch(item: item, writes: false, isFirst: origin[item] == nil)
          origin[item] = (place, stops[place].fetches.count)
          stops[place].fetches.append(fetch)
        }
        for item in stops[next].items { count[item] += 1 }
        fetched += fresh.count
        held += bytes
        stops[next].arrivals = fetched
        next += 1
      }
      peak = max(peak, held)
      for item in stops[place].written {
        let origin = origin[item]!
        stops[origin.stop].fetches[origin.fetch].writes = true
      }
      for item in stops[place].items {
        count[item] -= 1
        guard count[item] == 0 else { continue }
        held -= items[item].byteCount
        stops[place].releases.append(Release(item: item, isLast: lastStop[item] == place))
      }
    }
    self.stops = stops
    windowBytes = peak
  }

  /// About how long a run waits for fetches.
  ///
  /// One thing after the other is fetched and written, while the steps go on until they need what is not there yet.
  /// - Parameters:
  ///   - stepSeconds: how long each step takes.
  ///   - fetch: how long a fetch takes.
  ///   - release: how long the disk is busy with what is released.
  public func wait(
    _ stepSeconds: [Double], fetch: (Fetch) -> Double, release: (Release) -> Double
  ) -> Double {
    var (now, disk, waited) = (0.0, 0.0, 0.0)
    var ends: [Double] = []
    var step = 0
    for (place, stop) in stops.enumerated() {
      for wanted in stop.fetches {
        disk = max(disk, now) + fetch(wanted)
        ends.append(disk)
      }
      // What the stop waits for was asked for by now: the plan never asks later.
      while step < min(stop.step, stepSeconds.count) {
        now += stepSeconds[step]
        step += 1
      }
      let needed = stop.arrivals > 0 ? ends[stop.arrivals - 1] : 0
      if needed > now {
        waited += needed - now
        now = needed
      }
      if step < stepSeconds.count {
        now += stepSeconds[step]
        step += 1
      }
      for gone in stops[place].releases { disk = max(disk, now) + release(gone) }
    }
    return waited
  }
}
