/// A chart of losses over a size, on a logarithmic axis: what was observed as dots, the fitted law as lines, and a
/// prediction with its bounds; SVG inside a figure with its title and legend.
package struct ScalingChart: Sendable {
  /// The dots and the line of one colour.
  package struct Series: Sendable {
    /// What they have in common.
    package var name: String
    /// What was observed, and what the law says: size and loss.
    package var dots: [Curve.Point], line: [Curve.Point]

    package init(_ name: String, dots: [Curve.Point], line: [Curve.Point]) {
      (self.name, self.dots, self.line) = (name, dots, line)
    }
  }

  /// A single place in the chart.
  package struct Mark: Sendable {
    package var name: String
    /// Size and loss.
    package var place: Curve.Point
    /// The loss's bounds, where they are known.
    package var low: Double?, high: Double?

    package init(_ name: String, at place: Curve.Point, low: Double? = nil, high: Double? = nil) {
      (self.name, self.place, self.low, self.high) = (name, place, low, high)
    }
  }

  package var title: String
  /// The axes' names with their units.
  package var xTitle: String, yTitle: String
  package var series: [Series]
  package var marks: [Mark]

  package init(title: String, xTitle: String, yTitle: String, series: [Series], marks: [Mark] = []) {
    (self.title, self.xTitle, self.yTitle) = (title, xTitle, yTitle)
    (self.series, self.marks) = (series, marks)
  }

  /// The figure; empty where there is nothing to draw.
  package func html() -> String {
    let points = (series.flatMap { $0.dots + $0.line } + marks.map(\.place)).filter {
      $0.x > 0 && $0.x.isFinite && $0.y.isFinite
    }
    guard !points.isEmpty else { return "" }
    let bounds = marks.flatMap { [$0.low, $0.high] }.compactMap { $0 }.filter(\.isFinite)
    let frame = ChartFrame(
      x: AxisScale(points.map(\.x), kind: .logarithmic), y: AxisScale(points.map(\.y) + bounds))
    var svg = frame.axes(xTitle: xTitle + ", log scale", yTitle: yTitle)
    var legend = ""
    for (place, series) in series.enumerated() {
      let style = "p\(place % 4)"
      svg += frame.polyline(Curve(series.line).points, style: style)
      svg += frame.dots(Curve(series.dots).points, style: style)
      legend += "<span class='key \(style)'>\(escaped(series.name))</span>"
    }
    for (place, mark) in marks.enumerated() {
      let style = "p\(4 + place % 2)"
      if let low = mark.low, let high = mark.high {
        svg += frame.interval(at: mark.place.x, low, high, style: style)
      }
      svg += frame.dots([mark.place], style: style)
      legend += "<span class='key \(style)'>\(escaped(mark.name))</span>"
    }
    return """
      <figure>
      <figcaption><b>\(escaped(title))</b>\(legend)</figcaption>
      <svg viewBox='\(frame.viewBox)' role='img' aria-label='\(escaped(title))'>\(svg)</svg>
      </figure>

      """
  }
}
