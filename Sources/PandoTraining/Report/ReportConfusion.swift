/// The confusion matrix of a report: a heat table where there is room, and the most frequent mistakes.
extension ReportData.ConfusionMatrix {
  /// More classes than this make a table that no one can read.
  private static let largestTable = 24

  func html() -> String { (classes.count <= Self.largestTable ? table() : "") + confusions() }

  private func table() -> String {
    var html = "<div class='scroll'><table class='heat'><tr><th class='corner'>true ↓ &nbsp;predicted →</th>"
    for name in classes { html += "<th class='across'><span>\(escaped(name))</span></th>" }
    html += "<th class='across'><span>recall</span></th></tr>\n"
    for (row, counts) in counts.enumerated() {
      let total = counts.reduce(0, +)
      html += "<tr><th class='down'>\(escaped(classes[row]))</th>"
      for (column, count) in counts.enumerated() {
        let share = total > 0 ? Double(count) / Double(total) : 0
        let tone = row == column ? "hit" : "miss"
        let title = "\(classes[row]) taken for \(classes[column]): \(count) of \(total)"
        html += "<td class='\(tone)' style='--share:\(rounded(share))' title='\(escaped(title))'>"
        html += count == 0 ? "</td>" : "\(count)<small>\(shortPercent(share))</small></td>"
      }
      let recall = total > 0 ? Double(counts[row]) / Double(total) : .nan
      html += "<td class='recall'>\(total > 0 ? Figures.percent(recall) : "–")</td></tr>\n"
    }
    return html + "</table></div>\n"
  }

  /// The pairs of classes that are mixed up most often.
  private func confusions() -> String {
    var pairs: [(truth: Int, prediction: Int, count: Int)] = []
    for (row, counts) in counts.enumerated() {
      for (column, count) in counts.enumerated() where row != column && count > 0 {
        pairs.append((row, column, count))
      }
    }
    pairs.sort { $0.count > $1.count }
    guard !pairs.isEmpty else { return "" }
    var html = "<p class='lead'>Most frequent mistakes</p>\n<table class='plain'>"
    for pair in pairs.prefix(classes.count <= Self.largestTable ? 5 : 20) {
      let total = counts[pair.truth].reduce(0, +)
      html += "<tr><td>\(escaped(classes[pair.truth])) taken for \(escaped(classes[pair.prediction]))</td>"
      html += "<td class='n'>\(Figures.grouped(pair.count))</td>"
      html += "<td class='n'>\(shortPercent(Double(pair.count) / Double(total))) of its class</td></tr>"
    }
    return html + "</table>\n"
  }

  private func shortPercent(_ share: Double) -> String {
    share > 0 && share < 0.01 ? "<1 %".replacing("<", with: "&lt;") : "\(Int((share * 100).rounded())) %"
  }

  private func rounded(_ share: Double) -> Double { (share * 1000).rounded() / 1000 }
}
