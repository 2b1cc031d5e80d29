import PandoTraining
import Testing

@Test(arguments: [
  ([0.0, 9.7], [0.0, 2, 4, 6, 8, 10]), ([0.12, 0.58], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
  ([-3.0, 14], [-5.0, 0, 5, 10, 15]), ([0, 1234], [0, 500, 1000, 1500]),
  ([5, 5], [4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6]),
])
func linearTicksAreRound(_ values: [Double], _ ticks: [Double]) {
  let scale = AxisScale(values)
  #expect(scale.ticks.count == ticks.count, "\(scale.ticks)")
  for (tick, expected) in zip(scale.ticks, ticks) { #expect(abs(tick - expected) < 1e-9, "\(scale.ticks)") }
  for value in values { #expect((0...1).contains(scale.fraction(value))) }
}

@Test func tightAxisEndsAtItsValues() {
  let scale = AxisScale([1, 937], count: 8, isTight: true)
  #expect(scale.fraction(1) == 0 && scale.fraction(937) == 1)
  #expect(scale.ticks == [200, 400, 600, 800])
  #expect(AxisScale([1, 937]).label(200) == "200")
}

@Test func logarithmicTicksAreRound() {
  #expect(AxisScale([0.004, 3], kind: .logarithmic).ticks.map { "\($0)" }.count == 7)
  let scale = AxisScale([0.011, 0.9], kind: .logarithmic)
  #expect(scale.lower == 0.01 && scale.upper == 1)
  #expect(abs(scale.fraction(0.1) - 0.5) < 1e-12)
  #expect(scale.label(0.01) == "0.01")
}

@Test func tickLabelsHaveJustTheDecimalsNeeded() {
  let labels = { (values: [Double]) in
    let scale = AxisScale(values)
    return scale.ticks.map(scale.label)
  }
  #expect(labels([0, 1]) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
  #expect(labels([0, 9000]) == ["0", "2k", "4k", "6k", "8k", "10k"])
  #expect(labels([0, 6e6]) == ["0", "2M", "4M", "6M"])
  #expect(labels([0, 0.001]) == ["0", "0.0002", "0.0004", "0.0006", "0.0008", "0.0010"])
  #expect(labels([0, 1e-5]) == ["0", "2e-06", "4e-06", "6e-06", "8e-06", "1e-05"])
}

private func curve(_ count: Int, _ value: (Int) -> Double) -> Curve {
  Curve((0..<count).map { Curve.Point(Double($0), value($0)) })
}

@Test func thinningKeepsSpikes() {
  let spiky = curve(100_000) { $0 == 31_415 ? 50 : $0 == 92_653 ? -50 : 0 }
  let thin = spiky.thinned(to: 900)
  #expect(thin.points.count <= 1000)
  #expect(thin.points.map(\.y).max() == 50 && thin.points.map(\.y).min() == -50)
  #expect(thin.points.last?.x == 99_999)
  #expect(curve(10) { Double($0) }.thinned(to: 900).points.count == 10)
}

@Test func smoothingKeepsLinesAndEnds() {
  let line = curve(50) { 3 - Double($0) / 10 }
  for (smooth, exact) in zip(line.smoothed(radius: 7).points, line.points) {
    #expect(abs(smooth.y - exact.y) < 1e-12)
  }
  let alternating = curve(100) { $0 % 2 == 0 ? 1 : -1 }
  #expect(alternating.isNoisy)
  #expect(!curve(100) { 1 / Double($0 + 1) }.isNoisy)
  #expect(alternating.smoothed(radius: 10).points[50].y.magnitude < 0.1)
}

@Test func pointsThatAreNoNumbersAreLeftOut() {
  let points = curve(5) { $0 == 2 ? .nan : $0 == 3 ? .infinity : 1 }.points
  #expect(points.map(\.x) == [0, 1, 4])
}

@Test func emptyChartIsNothing() {
  #expect(
    LineChart(title: "Loss", unit: "nats", series: [.init("a", Curve([]), style: "train")]).html() == "")
}
