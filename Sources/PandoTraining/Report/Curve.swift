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

  /// At each point the value there of the straight line that fits the points around it best.
  ///
  /// Unlike a mean, a line fits the ends of a falling curve as well as its middle. Points count as evenly
  /// spaced.
  package func smoothed(radius: Int) -> Curve {
    guard radius > 0, points.count > 2, let extent = range(without: 0) else { return self }
    var sums = [0.0]
    var moments = [0.0]
    for (index, point) in points.enumerated() {
      sums.append(sums[index] + point.y)
      moments.append(moments[index] + point.y * Double(index))
    }
    return Curve(
      points.indices.map { index in
        let first = max(0, index - radius)
        let end = min(points.count, index + radius + 1)
        let count = Double(end - first)
        let middle = Double(first + end - 1) / 2
        let mean = (sums[end] - sums[first]) / count
        let slope =
          (moments[end] - moments[first] - middle * mean * count) / (count * (count * count - 1) / 12)
        let value = mean + slope * (Double(index) - middle)
        return Point(points[index].x, min(extent.upperBound, max(extent.lowerBound, value)))
      })
  }

  /// The values between which all lie but the given share at each end.
  package func range(without share: Double) -> ClosedRange<Double>? {
    let values = points.map(\.y).sorted()
    guard let last = values.indices.last else { return nil }
    let cut = Int(Double(values.count) * share)
    return values[min(cut, last)]...values[max(min(cut, last), last - cut)]
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
