/// The curves of a run.
extension ReportData {
  /// Loss, metric and learning rate over the steps.
  func charts() -> String {
    let lastStep = Double(rows.map(\.step).max() ?? 0)
    return [lossChart(), metricChart(), rateChart()].map { chart in
      guard var chart else { return "" }
      chart.lastStep = lastStep
      return chart.html()
    }.joined()
  }

  private func curve(_ value: (MetricsRow) -> Double?) -> Curve {
    Curve(rows.compactMap { row in value(row).map { Curve.Point(Double(row.step), $0) } })
  }

  private func lossChart() -> LineChart? {
    let training = curve(\.trainLoss)
    let held = curve { $0.evaluation[Recipe.Metric.loss.rawValue] }
    let heldLine = LineChart.Series("held-out", held, style: "held", hasDots: true)
    var series: [LineChart.Series] = []
    if training.isNoisy {
      series.append(LineChart.Series("each step", training, style: "train", isFaint: true))
      let smooth = training.smoothed(radius: max(2, training.points.count / 60))
      series.append(LineChart.Series("training, smoothed (faint: each step)", smooth, style: "train"))
    } else {
      series.append(LineChart.Series("training", training, style: "train"))
    }
    var chart = LineChart(title: "Loss", unit: "nats", series: series + [heldLine])
    // The course, not the noise, decides whether a logarithmic scale is needed.
    let course = (series.last?.curve.points ?? []) + held.points
    let all = (training.points + held.points).map(\.y)
    if let low = course.map(\.y).min(), let high = course.map(\.y).max(), let lowest = all.min() {
      if lowest > 0, high / low > 20 { chart.scale = .logarithmic }
    }
    if metric == .loss { chart.target = target }
    return chart
  }

  private func metricChart() -> LineChart? {
    guard metric != .loss else { return nil }
    let held = curve { $0.evaluation[metric.rawValue] }
    let unit = metric == .bitsPerCharacter ? "bits per character" : metric.rawValue
    var chart = LineChart(
      title: unit.prefix(1).uppercased() + unit.dropFirst(),
      unit: metric == .bitsPerCharacter ? "bits" : unit,
      series: [LineChart.Series("held-out", held, style: "held", hasDots: true)])
    chart.isPercentage = metric == .accuracy
    chart.target = target
    return chart
  }

  private func rateChart() -> LineChart? {
    var chart = LineChart(
      title: "Learning rate", unit: "learning rate",
      series: [LineChart.Series("learning rate", curve(\.learningRate), style: "rate")])
    chart.startsAtZero = true
    return chart
  }
}
