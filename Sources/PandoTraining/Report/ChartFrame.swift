import Foundation

/// The area of a chart: where values lie in it, and the SVG of what is drawn there.
struct ChartFrame {
  let x: AxisScale
  let y: AxisScale

  private static let width = 720.0
  private static let height = 300.0
  private static let left = 78.0
  private static let right = width - 16
  private static let top = 14.0
  private static let bottom = height - 46

  /// The picture's extent.
  var viewBox: String { "0 0 \(Int(Self.width)) \(Int(Self.height))" }

  private func across(_ value: Double) -> Double { Self.left + x.fraction(value) * (Self.right - Self.left) }

  /// What lies beyond the axis, such as a spike, is drawn at its end.
  private func down(_ value: Double) -> Double {
    Self.bottom - min(1, max(0, y.fraction(value))) * (Self.bottom - Self.top)
  }

  /// Grid, ticks and the axes' names.
  func axes(xTitle: String, yTitle: String) -> String {
    var svg = ""
    for tick in y.ticks {
      svg += line("grid", from: (Self.left, down(tick)), to: (Self.right, down(tick)))
      svg += text("tick", at: (Self.left - 8, down(tick) + 4), anchor: "end", y.label(tick))
    }
    for tick in x.ticks {
      svg += line("mark", from: (across(tick), Self.bottom), to: (across(tick), Self.bottom + 5))
      svg += text("tick", at: (across(tick), Self.bottom + 19), anchor: "middle", x.label(tick))
    }
    svg += line("axis", from: (Self.left, Self.bottom), to: (Self.right, Self.bottom))
    svg += text("unit", at: ((Self.left + Self.right) / 2, Self.height - 8), anchor: "middle", xTitle)
    let middle = (-(Self.top + Self.bottom) / 2, 14.0)
    return svg + text("unit", at: middle, anchor: "middle", yTitle, attributes: " transform='rotate(-90)'")
  }

  /// A dashed line across at one value.
  func level(_ value: Double, label: String) -> String {
    line("target", from: (Self.left, down(value)), to: (Self.right, down(value)))
      + text("tick", at: (Self.left + 6, down(value) - 6), anchor: "start", label)
  }

  /// A curve through `points`.
  func polyline(_ points: [Curve.Point], style: String) -> String {
    let path = points.map { "\(digits(across($0.x))),\(digits(down($0.y)))" }.joined(separator: " ")
    return "<polyline class='line \(style)' points='\(path)'/>"
  }

  /// A dot at each of `points`.
  func dots(_ points: [Curve.Point], style: String) -> String {
    points.map { point in
      "<circle class='dot \(style)' cx='\(digits(across(point.x)))' cy='\(digits(down(point.y)))' r='3'/>"
    }.joined()
  }

  /// A value with the bounds between which it lies.
  func interval(at x: Double, _ low: Double, _ high: Double, style: String) -> String {
    let (place, bottom, top) = (across(x), down(low), down(high))
    return line("line \(style)", from: (place, bottom), to: (place, top))
      + line("line \(style)", from: (place - 5, bottom), to: (place + 5, bottom))
      + line("line \(style)", from: (place - 5, top), to: (place + 5, top))
  }

  private func line(_ style: String, from: (Double, Double), to: (Double, Double)) -> String {
    let ends = "x1='\(digits(from.0))' y1='\(digits(from.1))' x2='\(digits(to.0))' y2='\(digits(to.1))'"
    return "<line class='\(style)' \(ends)/>"
  }

  private func text(
    _ style: String, at place: (Double, Double), anchor: String, _ content: String, attributes: String = ""
  ) -> String {
    let place = "x='\(digits(place.0))' y='\(digits(place.1))' text-anchor='\(anchor)'"
    return "<text class='\(style)' \(place)\(attributes)>\(escaped(content))</text>"
  }

  /// A tenth of a pixel is as fine as anyone sees.
  private func digits(_ value: Double) -> String { String(format: "%.1f", value) }
}
