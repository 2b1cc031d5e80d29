import Foundation

/// Points of a curve, thinned and smoothed for drawing.
package struct Curve: Sendable {
  /// A step and a value.
  package struct Point: Hashable, Sendable {
    package var x: Double, y: Double
    package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  package var points: [Point]

  /// The finite ones among `points`, in the order of their steps.
  package init(_ points: [Point]) {
    self.points = points.filter { $0.x.isFinite && $0.y.isFinite }.sorted { $0.x < $1.x }
  }

  /// At most about `count` points, the lowest and the highest of each stretch among them, so that no spike is
  /// lost.
  package func thinned(to count: Int) -> Curve {
    guard points.count > count, count >= 4 else { return self }
    let stretch = (points.count * 2 + count - 1) / count
    var kept: [Point] = []
    for start in stride(from: 0, to: points.count, by: stretch) {
      let indices = start..<min(start + stretch, points.count)
      let low = indices.min { points[$0].y < points[$1].y } ?? start
      let high = indices.max { points[$0].y < points[$1].y } ?? start
      kept += Set([low, high]).sorted().map { points[$0] }
    }
    if let last = points.last, kept.last != last { kept.append(last) }
    return Curve(kept)
  }

  /// The mean over a window around each point; near the ends the window shrinks evenly on both sides, so that
  /// a falling curve does not bend.
  package func smoothed(radius: Int) -> Curve {
    guard radius > 0, points.count > 2 else { return self }
    var sums = [0.0]
    for point in points { sums.append((sums.last ?? 0) + point.y) }
    return Curve(
      points.indices.map { index in
        let reach = min(radius, index, points.count - 1 - index)
        let total = sums[index + reach + 1] - sums[index - reach]
        return Point(points[index].x, total / Double(2 * reach + 1))
      })
  }

  /// Whether neighbours differ so much that the course is hard to see.
  package var isNoisy: Bool {
    guard points.count >= 30, let low = points.map(\.y).min(), let high = points.map(\.y).max(), high > low
    else {
      return false
    }
    let jumps = zip(points, points.dropFirst()).map { abs($1.y - $0.y) }.sorted()
    return jumps[jumps.count / 2] > 0.005 * (high - low)
  }
}
