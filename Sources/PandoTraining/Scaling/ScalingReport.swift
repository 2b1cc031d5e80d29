/// The page about a ladder: what was observed, the law, and what it says of the size asked for.
package struct ScalingReport: Sendable {
  /// The recipe's name, and a line below it.
  package var name: String, subtitle: String
  /// What a reader should know first, such as that there is no figure.
  package var note: String?
  /// The figures at the top.
  package var figures: [ReportData.Figure] = []
  package var charts: [ScalingChart] = []
  /// The constants of the law: name, value, bounds.
  package var constants: [(name: String, value: String, bounds: String)] = []
  /// The head of the table of rungs, and its rows.
  package var columns: [String] = []
  package var rows: [[String]] = []
  /// The recipe of the size asked for, as YAML.
  package var recipe: String

  package init(name: String, subtitle: String, recipe: String) {
    (self.name, self.subtitle, self.recipe) = (name, subtitle, recipe)
  }

  /// The whole page, which needs nothing else.
  package func html() -> String {
    reportPage(
      title: "\(name), scaled", subtitle: subtitle, note: note, figures: figures,
      sections: [
        ("Losses", charts.map { $0.html() }.joined()), ("Law", law), ("Rungs", table(columns, rows)),
        ("Recipe", "<pre class='code'>\(escaped(recipe))</pre>\n"),
      ])
  }

  private var law: String {
    guard !constants.isEmpty else { return "" }
    return
      "<p class='lead'>L = E + A/N^α + B/D^β, in nats; N parameters, D tokens seen. Bounds hold nine times in ten, "
      + "if the law is of this form.</p>\n"
      + table(["", "fitted", "bounds"], constants.map { [$0.name, $0.value, $0.bounds] })
  }

  private func table(_ head: [String], _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "" }
    let top = head.map { "<th>\(escaped($0))</th>" }.joined()
    let body = rows.map { row in
      "<tr>"
        + row.enumerated().map { place, cell in
          place == 0 ? "<td>\(escaped(cell))</td>" : "<td class='n'>\(escaped(cell))</td>"
        }.joined() + "</tr>\n"
    }
    return "<div class='scroll'><table class='plain'><tr>\(top)</tr>\n\(body.joined())</table></div>\n"
  }
}
