import Dispatch
import PandoEngine
import PandoTransforms

/// Brings what a program has in files into memory ahead of its use, on a thread of its own, and takes it out again behind.
///
/// The program tells of each stop of the plan when it comes to it and when it has passed. Fetches and releases are done one
/// after the other in the plan's order, so that no more is in memory than was planned. Used by the thread that runs the
/// program.
final class OffloadStream {
  private let plan: StreamPlan
  private let file: OffloadFile?
  private let queue = DispatchQueue(label: "pando.offload", qos: .userInitiated)
  private let arrived = DispatchSemaphore(value: 0)
  private var places: [(file: OffloadFile, offset: Int)] = []
  private var stop = 0
  private var taken = 0
  private var held = 0
  /// The most bytes of files that were in memory at once.
  private(set) var highestBytes = 0
  /// Seconds that the program has waited for fetches.
  private(set) var waited = 0.0
  /// The node of the next stop; none has this number after the last.
  private(set) var nextStep = Int.max

  /// - Parameter file: the program's own file, where it has one.
  init(_ plan: StreamPlan, file: OffloadFile?) {
    self.plan = plan
    self.file = file
  }

  /// A run begins.
  ///
  /// - Throws: `EngineError` where an input that should lie in a file does not.
  func begin(_ arguments: [any DeviceBuffer]) throws {
    // One that failed has left requests behind.
    queue.sync {}
    while arrived.wait(timeout: .now()) == .success {}
    places = try plan.items.map { item in
      switch item.place {
      case .value(let offset): return (file!, offset)
      case .input(let place):
        guard let found = (arguments[place] as? HostBuffer)?.file else {
          throw EngineError("input \(place) is to be offloaded, but its buffer lies in memory")
        }
        return found
      }
    }
    (stop, taken, held) = (0, 0, 0)
    ask()
  }

  /// The program comes to the next stop: returns when all that it needs is there.
  func arrive() {
    let needed = plan.stops[stop].arrivals
    guard taken < needed else { return }
    let start = ContinuousClock.now
    while taken < needed {
      arrived.wait()
      taken += 1
    }
    waited += start.duration(to: .now) / .seconds(1)
  }

  /// The program has passed the stop.
  func leave() {
    for release in plan.stops[stop].releases {
      let item = plan.items[release.item]
      let (file, offset) = places[release.item]
      held -= item.byteCount
      let isForgotten = item.isValue && release.isLast
      queue.async {
        if isForgotten {
          file.discard(offset, item.byteCount)
        } else {
          file.release(offset, item.byteCount)
        }
      }
    }
    stop += 1
    ask()
  }

  /// The run has ended: returns when all that it had is out of memory.
  func end() {
    precondition(stop == plan.stops.count, "the run passed \(stop) of \(plan.stops.count) stops")
    queue.sync {}
  }

  private func ask() {
    guard stop < plan.stops.count else {
      nextStep = Int.max
      return
    }
    nextStep = plan.stops[stop].step
    for fetch in plan.stops[stop].fetches {
      let bytes = plan.items[fetch.item].byteCount
      let (file, offset) = places[fetch.item]
      held += bytes
      highestBytes = max(highestBytes, held)
      queue.async { [arrived] in
        file.fetch(offset, bytes, writes: fetch.writes)
        arrived.signal()
      }
    }
  }
}

extension StreamPlan {
  /// About how long a run waits, by what the disk can do.
  ///
  /// - Parameter isCached: whether the system's cache has room for everything, so that nothing waits for the disk.
  func wait(_ stepSeconds: [Double], _ rates: Ceilings.Disk, isCached: Bool) -> Double {
    func bytes(_ item: Int) -> Double { Double(items[item].byteCount) }
    return wait(
      stepSeconds,
      fetch: { fetch in
        let isMade = items[fetch.item].isValue && fetch.isFirst
        return bytes(fetch.item) * (isCached || isMade ? rates.perByteCached : rates.perByteRead)
      },
      release: { release in
        let isForgotten = items[release.item].isValue && release.isLast
        return isCached || isForgotten ? 0 : bytes(release.item) * rates.perByteWritten
      })
  }
}
