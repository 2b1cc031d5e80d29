import Foundation
import PandoPlanning
import PandoTraining

/// What `pando scale` says to people: on the terminal and in `report.html`.
extension ScaleAnswer {
  private var unit: ScaleUnit { ScaleUnit(ladder.target.recipe) }

  /// What samples are counted in.
  private var dataName: String { ladder.target.recipe.model.readsText ? "tokens" : "samples" }

  private var sizeText: String {
    "\(Figures.grouped(parameters)) parameters on \(Figures.scaled(Double(tokens))) \(dataName)"
      + String(format: " (%.2f epochs), %.2g operations", epochs, operations)
  }

  /// What a reader must know of how far the figure can be trusted.
  private var caution: String? {
    // Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", arXiv:2305.16264.
    guard epochs > 1.05 else { return nil }
    return String(
      format:
        "The data are gone through %.1f times: the law counts a sample seen again like a new one, which holds for "
        + "about four passes and is too hopeful beyond.", epochs)
  }

  private func text(_ figure: Bounded, _ format: (Double) -> String) -> String {
    "\(format(figure.value))  (90 %: \(format(figure.low)) to \(format(figure.high)))"
  }

  /// Prints the answer.
  func show(folder: String) {
    func row(_ name: String, _ text: String) {
      print("\(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(text)")
    }
    print("\(name): \(sizeText)")
    if let estimate, let law {
      row(
        "law",
        "L = E + A/N^α + B/D^β, \(rungs.count) rungs, off by "
          + String(format: "%.2f %% (root mean square)", estimate.relativeError * 100))
      for (letter, key) in [("E", "E"), ("α", "alpha"), ("β", "beta")] {
        if let constant = law[key] { row("  \(letter)", text(constant) { String(format: "%.3f", $0) }) }
      }
    }
    if let loss { row("loss", text(loss, Figures.number)) }
    if let metric, let metricValue { row(metric, text(metricValue, Figures.number)) }
    row("time", timeText)
    row("memory", Figures.bytes(peakMemoryBytes))
    row("energy", energyText)
    if let bestSplit {
      row("best split", splitText(bestSplit))
    } else if identifiable, let bestSplitReason {
      row("best split", "not known: \(bestSplitReason)")
    }
    if let caution { row("note", caution) }
    row("report", "\(folder)/report.html")
  }

  private var timeText: String {
    Figures.duration(seconds)
      + String(format: "  (the rungs took %.2f times what was planned)", measuredOverPlanned)
  }

  private var energyText: String {
    let error = joules > 0 ? joulesError / joules * 100 : 0
    return Figures.quantity(joules, "J") + String(format: " ± %.0f %% (a model)", error)
  }

  private func splitText(_ split: Split) -> String {
    "\(Figures.scaled(split.parameters.value)) parameters (90 %: \(Figures.scaled(split.parameters.low)) to "
      + "\(Figures.scaled(split.parameters.high))) on \(Figures.scaled(split.tokens)) \(dataName): loss "
      + Figures.number(split.loss)
  }

  /// The page.
  var report: ScalingReport {
    var page = ScalingReport(
      name: name, subtitle: sizeText + ", from \(rungs.count) smaller runs", recipe: ladder.target.recipe.yaml
    )
    page.note = reason.map { "There is no figure: \($0)." } ?? caution
    if let loss {
      page.figures.append(
        .init(
          "Loss foretold", Figures.number(loss.value),
          detail: "nats; 90 %: \(Figures.number(loss.low)) to \(Figures.number(loss.high))"))
    }
    if let metric, let value = metricValue {
      page.figures.append(
        .init(
          metric, Figures.number(value.value),
          detail: "90 %: \(Figures.number(value.low)) to \(Figures.number(value.high))"))
    }
    page.figures += [
      .init(
        "Time", Figures.duration(seconds),
        detail: String(format: "the rungs took %.2f times what was planned", measuredOverPlanned)),
      .init("Memory", Figures.bytes(peakMemoryBytes), detail: "as planned, at the highest"),
      .init("Energy", energyText),
    ]
    if let split = bestSplit {
      page.figures.append(
        .init(
          "Best split", "\(Figures.scaled(split.parameters.value)) parameters",
          detail: "on \(Figures.scaled(split.tokens)) \(dataName): loss \(Figures.number(split.loss)); 90 %: "
            + "\(Figures.scaled(split.parameters.low)) to \(Figures.scaled(split.parameters.high))"))
    }
    page.charts = charts
    page.constants = constantRows
    page.columns = ["model", "parameters", dataName, "steps", "loss", "law", "off", "time"]
    page.rows = rungs.map { rung in
      let fitted = estimate?.law.loss(parameters: Double(rung.parameters), tokens: Double(rung.tokens))
      return [
        rung.size, Figures.grouped(rung.parameters), Figures.scaled(Double(rung.tokens)),
        Figures.grouped(rung.steps), Figures.number(rung.loss), fitted.map(Figures.number) ?? "–",
        fitted.map { String(format: "%+.2f %%", (rung.loss / $0 - 1) * 100) } ?? "–",
        Figures.duration(rung.seconds),
      ]
    }
    return page
  }

  private var constantRows: [(name: String, value: String, bounds: String)] {
    guard let law else { return [] }
    let letters = ["alpha": "α", "beta": "β"]
    return Self.constants.compactMap { key, _ in
      law[key].map {
        (
          letters[key] ?? key, Figures.number($0.value),
          "\(Figures.number($0.low)) to \(Figures.number($0.high))"
        )
      }
    }
  }

  // MARK: Charts

  private var charts: [ScalingChart] {
    let factor = unit.factor ?? 1
    // Operations for each parameter and token, as the size asked for takes them.
    let perPair = operations / Double(parameters) / Double(tokens)
    let target = (size: Double(parameters), data: Double(tokens))
    let mark = loss.map { foretold in
      { (x: Double) in
        ScalingChart.Mark(
          "foretold", at: .init(x, foretold.value * factor), low: foretold.low * factor,
          high: foretold.high * factor)
      }
    }
    func line(_ steps: Int = 60, from low: Double, to high: Double, _ loss: (Double) -> Double?) -> [Curve
      .Point]
    {
      (0...steps).compactMap { place in
        let x = low * pow(high / low, Double(place) / Double(steps))
        return loss(x).map { Curve.Point(x, $0 * factor) }
      }
    }
    let sizes = Set(rungs.map(\.parameters)).sorted(by: >)
    let bySize = sizes.map { size in
      let own = rungs.filter { $0.parameters == size }
      let (low, high) = (own.map(\.tokens).min() ?? 1, own.map(\.tokens).max() ?? 1)
      return ScalingChart.Series(
        Figures.scaled(Double(size)) + " parameters",
        dots: own.map { .init(perPair * Double(size) * Double($0.tokens), $0.loss * factor) },
        line: line(from: Double(low), to: max(Double(high), target.data)) {
          estimate?.law.loss(parameters: Double(size), tokens: $0)
        }.map { .init($0.x * perPair * Double(size), $0.y) })
    }
    let amounts = Set(rungs.map(\.tokens))
    // Amounts differ a little from size to size, so the largest model's stand for all.
    let named = rungs.filter { $0.parameters == sizes.first }.map(\.tokens).sorted(by: >)
    let byAmount = (named.isEmpty ? amounts.sorted(by: >) : named).map { amount in
      let own = rungs.filter { $0.tokens == amount }
      return ScalingChart.Series(
        Figures.scaled(Double(amount)) + " " + dataName,
        dots: own.map { .init(Double($0.parameters), $0.loss * factor) },
        line: line(from: Double(sizes.last ?? 1), to: target.size) {
          estimate?.law.loss(parameters: $0, tokens: Double(amount))
        })
    }
    var charts = [
      ScalingChart(
        title: "Loss over compute", xTitle: "operations", yTitle: unit.axisTitle, series: bySize,
        marks: mark.map { [$0(operations)] } ?? []),
      ScalingChart(
        title: "Loss over parameters", xTitle: "parameters", yTitle: unit.axisTitle, series: byAmount,
        marks: mark.map { [$0(target.size)] } ?? []),
    ]
    if let split = bestSplit, let law = estimate?.law {
      let pairs = target.size * target.data
      let best = split.parameters.value
      charts.append(
        ScalingChart(
          title: "The same compute, split otherwise", xTitle: "parameters", yTitle: unit.axisTitle,
          series: [
            .init(
              "law", dots: [],
              line: line(from: min(best, target.size) / 4, to: max(best, target.size) * 4) {
                law.loss(parameters: $0, tokens: pairs / $0)
              })
          ],
          marks: (mark.map { [$0(target.size)] } ?? []) + [
            .init("best", at: .init(best, split.loss * factor))
          ]))
    }
    return charts
  }
}
