import Foundation

/// A chart of curves over steps, as SVG inside a figure with its title and legend.
package struct LineChart: Sendable {
  /// One curve.
  package struct Series: Sendable {
    package var name: String
    package var curve: Curve
    /// The style sheet's class: `train`, `held` or `rate`.
    package var style: String
    /// Whether the curve is noise behind another, without an entry in the legend.
    package var isFaint = false
    /// Whether the points themselves are shown.
    package var hasDots = false

    package init(_ name: String, _ curve: Curve, style: String, isFaint: Bool = false, hasDots: Bool = false)
    {
      (self.name, self.curve, self.style, self.isFaint, self.hasDots) = (name, curve, style, isFaint, hasDots)
    }
  }

  package var title: String
  /// The unit of the values, written beside the axis.
  package var unit: String
  package var series: [Series]
  package var scale = AxisScale.Kind.linear
  /// Where the axis of steps ends, so that charts of one run line up; the curves may end before.
  package var lastStep = 0.0
  /// Whether the axis of values begins at 0.
  package var startsAtZero = false
  /// A value to reach, drawn as a dashed line.
  package var target: Double?
  /// Whether values are shares, written as percentages.
  package var isPercentage = false

  package init(title: String, unit: String, series: [Series]) {
    (self.title, self.unit, self.series) = (title, unit, series.filter { !$0.curve.points.isEmpty })
  }

  /// The figure; empty where there is nothing to draw.
  package func html() -> String {
    guard !series.isEmpty else { return "" }
    let factor = isPercentage ? 100.0 : 1.0
    let lines = series.map { line in
      (line, line.curve.thinned(to: 900).points.map { Curve.Point($0.x, $0.y * factor) })
    }
    let target = target.map { $0 * factor }
    // Single spikes of a noisy curve do not decide how much room the others get.
    let heights = lines.flatMap { line, points -> [Double] in
      guard line.isFaint, let range = Curve(points).range(without: 0.005) else { return points.map(\.y) }
      return [range.lowerBound, range.upperBound]
    }
    let frame = ChartFrame(
      x: AxisScale(lines.flatMap { $0.1.map(\.x) } + [0, lastStep], count: 8, isTight: true),
      y: AxisScale(heights + (target.map { [$0] } ?? []) + (startsAtZero ? [0] : []), kind: scale))
    var svg = frame.axes(xTitle: "step", yTitle: axisTitle)
    if let target { svg += frame.level(target, label: "target") }
    for (line, points) in lines {
      svg += frame.polyline(points, style: line.isFaint ? "\(line.style) faint" : line.style)
      if line.hasDots, points.count <= 60 { svg += frame.dots(points, style: line.style) }
    }
    return """
      <figure>
      <figcaption><b>\(escaped(title))</b>\(legend)</figcaption>
      <svg viewBox='\(frame.viewBox)' role='img' aria-label='\(escaped(title)) over steps'>\(svg)</svg>
      </figure>

      """
  }

  private var axisTitle: String {
    (isPercentage ? "\(unit) (%)" : unit) + (scale == .logarithmic ? ", log scale" : "")
  }

  private var legend: String {
    series.filter { !$0.isFaint }.map { "<span class='key \($0.style)'>\(escaped($0.name))</span>" }.joined()
  }
}
