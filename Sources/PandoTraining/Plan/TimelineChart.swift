import Pando

extension TrainingRun {
  /// What lies in the step's arena while each of its operations runs, as an SVG file.
  public func timelineSVG() -> String {
    let timeline = program.phases[0].program.timeline
    let points = timeline.bytes.enumerated().map {
      Curve.Point(Double($0.offset), Double($0.element) / 0x1p20)
    }
    let frame = ChartFrame(
      x: AxisScale(points.map(\.x) + [0], count: 8, isTight: true), y: AxisScale(points.map(\.y) + [0]))
    let body =
      frame.axes(xTitle: "operation of the step", yTitle: "arena (MiB)")
      + frame.polyline(Curve(points).thinned(to: 2000).points, style: "train")
    return """
      <svg xmlns='http://www.w3.org/2000/svg' viewBox='\(frame.viewBox)' font-family='system-ui, sans-serif'>
      <title>\(escaped(recipe.name)): intermediate values over a step</title>
      <style>\(reportStyle)</style>
      \(body)
      </svg>

      """
  }
}
