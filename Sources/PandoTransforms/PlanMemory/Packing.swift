/// Puts stretches of known lifetime into one arena.
enum Packing {
  /// Gives each interval an offset such that no two that overlap in time overlap in space.
  ///
  /// Two orders are tried, by size and by size times lifetime, and the better kept.
  /// - Returns: the bytes of the arena.
  static func pack(_ intervals: inout [MemoryPlan.Interval]) -> Int {
    let bySize = intervals.indices.sorted {
      (intervals[$1].byteCount, $0) < (intervals[$0].byteCount, $1)
    }
    let byArea = intervals.indices.sorted {
      (area(intervals[$1]), $0) < (area(intervals[$0]), $1)
    }
    var best: (total: Int, placed: [MemoryPlan.Interval])?
    for order in [bySize, byArea] {
      var placed = intervals
      let total = place(&placed, order)
      if best == nil || total < best!.total { best = (total, placed) }
    }
    guard let best else { return 0 }
    intervals = best.placed
    return best.total
  }

  private static func area(_ interval: MemoryPlan.Interval) -> Int {
    interval.byteCount * (interval.last - interval.first + 1)
  }

  private static func place(_ intervals: inout [MemoryPlan.Interval], _ order: [Int]) -> Int {
    /// Those already placed, by offset.
    var placed: [MemoryPlan.Interval] = []
    var total = 0
    for index in order {
      let wanted = intervals[index]
      var best: (offset: Int, gap: Int)?
      var end = 0
      for other in placed where other.first <= wanted.last && wanted.first <= other.last {
        let gap = other.offset - end
        if gap >= wanted.byteCount && gap < best?.gap ?? .max { best = (end, gap) }
        end = max(end, other.offset + other.byteCount)
      }
      intervals[index].offset = best?.offset ?? end
      total = max(total, intervals[index].offset + wanted.byteCount)
      let position = placed.firstIndex { $0.offset > intervals[index].offset } ?? placed.count
      placed.insert(intervals[index], at: position)
    }
    return total
  }
}
