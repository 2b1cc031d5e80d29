/// The plan's section of a report: a bar of memory by purpose, and a table of what it shows.
extension ReportData.Plan {
  func html() -> String {
    let total = parts.reduce(0) { $0 + $1.bytes }
    guard total > 0 else { return "" }
    let whole = Double(max(total, limitBytes ?? 0, measuredBytes ?? 0))
    var bar = ""
    var rows = ""
    for (index, part) in parts.enumerated() where part.bytes > 0 {
      let share = Double(part.bytes) / whole * 100
      let tone = "part\(index % 6)"
      bar += "<i class='\(tone)' style='width:\(share)%' title='\(escaped(part.name)): "
      bar += "\(Figures.bytes(part.bytes))'></i>"
      rows += "<tr><td><i class='swatch \(tone)'></i>\(escaped(part.name))</td>"
      rows += "<td class='n'>\(Figures.bytes(part.bytes))</td>"
      rows += "<td class='n'>\(Figures.percent(Double(part.bytes) / Double(total)))</td></tr>"
    }
    if let limitBytes {
      let place = Double(limitBytes) / whole * 100
      bar += "<b style='left:\(place)%' title='limit \(Figures.bytes(limitBytes))'></b>"
    }
    rows += "<tr class='total'><td>planned</td><td class='n'>\(Figures.bytes(total))</td><td></td></tr>"
    if let measuredBytes {
      let verdict = measuredBytes == total ? "as planned" : ""
      rows += "<tr><td>measured</td><td class='n'>\(Figures.bytes(measuredBytes))</td>"
      rows += "<td class='n'>\(verdict)</td></tr>"
    }
    if let limitBytes {
      rows += "<tr><td>limit</td><td class='n'>\(Figures.bytes(limitBytes))</td><td></td></tr>"
    }
    for fact in facts {
      rows += "<tr><td>\(escaped(fact.label))</td><td class='n'>\(escaped(fact.value))</td>"
      rows += "<td class='n'>\(escaped(fact.detail ?? ""))</td></tr>"
    }
    return "<div class='bar'>\(bar)</div>\n<table class='plain'>\(rows)</table>\n"
  }
}
