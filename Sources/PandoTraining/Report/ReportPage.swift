/// The report as one HTML file that needs nothing else.
extension ReportData {
  /// The whole page.
  public func html() -> String {
    reportPage(
      title: name, subtitle: subtitle, note: note, figures: figures,
      sections: [
        ("Curves", charts()), ("Written by the model", writtenTexts()),
        ("Confusion", confusion?.html() ?? ""),
        ("Taken for something else", gallery()), ("Plan", plan?.html() ?? ""),
        ("Recipe", "<pre class='code'>\(escaped(recipe))</pre>\n"),
      ])
  }

  private func writtenTexts() -> String {
    samples.map { sample in
      (sample.settings.map { "<p class='lead'>\(escaped($0))</p>\n" } ?? "")
        + "<pre class='text'><b>\(escaped(sample.prompt))</b>\(escaped(sample.text))</pre>\n"
    }.joined()
  }

  private func gallery() -> String {
    guard !mistakes.isEmpty else { return "" }
    let cards = mistakes.map { mistake in
      let confidence = mistake.confidence.map { " <small>\(Int(($0 * 100).rounded()))&nbsp;%</small>" } ?? ""
      return "<figure class='card'><img src='\(PNG.dataURI(mistake.image))' alt=''>"
        + "<figcaption><b>\(escaped(mistake.truth))</b><br>taken for \(escaped(mistake.prediction))"
        + "\(confidence)</figcaption></figure>\n"
    }
    return "<div class='gallery'>\n\(cards.joined())</div>\n"
  }
}

/// A page that needs nothing else; sections without content are left out.
///
/// - Parameters: texts are plain but for the sections' content, which is HTML.
func reportPage(
  title: String, subtitle: String, note: String?, figures: [ReportData.Figure],
  sections: [(title: String, content: String)]
) -> String {
  let body = sections.filter { !$0.content.isEmpty }.map {
    "<section>\n<h2>\(escaped($0.title))</h2>\n\($0.content)</section>"
  }
  return """
    <!doctype html>
    <html lang='en'>
    <head>
    <meta charset='utf-8'>
    <meta name='viewport' content='width=device-width, initial-scale=1'>
    <meta name='color-scheme' content='light dark'>
    <title>\(escaped(title)) · Pando</title>
    <style>\(reportStyle)</style>
    </head>
    <body>
    <main>
    <header>
    <h1>\(escaped(title))</h1>
    <p class='subtitle'>\(escaped(subtitle))</p>
    \(note.map { "<p class='note'>\(escaped($0))</p>" } ?? "")
    </header>
    \(figureGrid(figures))
    \(body.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
}

private func figureGrid(_ figures: [ReportData.Figure]) -> String {
  guard !figures.isEmpty else { return "" }
  let cells = figures.map { figure in
    "<div><dt>\(escaped(figure.label))</dt><dd>\(escaped(figure.value))"
      + (figure.detail.map { "<small>\(escaped($0))</small>" } ?? "") + "</dd></div>\n"
  }
  return "<dl class='figures'>\n\(cells.joined())</dl>"
}
