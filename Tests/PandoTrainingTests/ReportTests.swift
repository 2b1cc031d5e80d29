import Foundation
import PandoTraining
import Testing

/// A report with everything in it.
func fullReport() -> ReportData {
  var report = ReportData(
    name: "fashion <mnist>", subtitle: "cnn & friends", metric: .accuracy,
    recipe: "name: \"fashion <mnist>\"\n")
  report.figures = [.init("Accuracy", "92.71 %", detail: "best at step 20"), .init("Parameters", "1,234")]
  report.rows = (1...100).map { step in
    MetricsRow(
      step: step, epoch: 0, samples: step, seconds: 1,
      trainLoss: 2 / Double(step) + (step % 2 == 0 ? 0.1 : 0),
      learningRate: 1e-3, evaluation: step % 20 == 0 ? ["accuracy": 0.9, "loss": 0.3] : [:])
  }
  report.target = 0.925
  report.plan = .init(
    parts: [.init("weights", bytes: 1000), .init("step", bytes: 3000)], measuredBytes: 4000, limitBytes: 8000,
    facts: [.init("floating-point operations", "1.2 G")])
  report.confusion = .init(classes: ["shirt", "bag <x>"], counts: [[8, 2], [0, 10]])
  report.mistakes = [
    .init(
      image: .init(width: 2, height: 2, channels: 1, pixels: [0, 80, 160, 255]), truth: "shirt",
      prediction: "bag <x>",
      confidence: 0.5)
  ]
  report.samples = [.init(prompt: "In the <b>", text: "eginning\u{0}", settings: "temperature 0.8")]
  return report
}

@Test func reportIsSelfContained() {
  let html = fullReport().html()
  for outside in ["http:", "https:", "src='/", "url(", "<script", "@import", "<link"] {
    #expect(!html.contains(outside), "\(outside)")
  }
  #expect(html.contains("prefers-color-scheme: dark"))
}

@Test func reportShowsEverything() {
  let html = fullReport().html()
  for part in [
    "92.71 %", "best at step 20", "training, smoothed", "held-out", "nats", "accuracy (%)", "learning rate",
    "target",
    "shirt taken for bag &lt;x&gt;", "20 % of its class", "data:image/png;base64,", "planned", "as planned",
    "2.93 KiB", "limit", "floating-point operations", "temperature 0.8", "name: &quot;fashion",
  ] { #expect(html.contains(part), "\(part)") }
}

@Test func reportEscapesText() {
  let html = fullReport().html()
  #expect(html.contains("<h1>fashion &lt;mnist&gt;</h1>"))
  #expect(html.contains("cnn &amp; friends"))
  #expect(html.contains("<b>In the &lt;b&gt;</b>eginning\u{fffd}"))
  #expect(!html.contains("<mnist>") && !html.contains("bag <x>"))
  #expect(escaped("a'b\"c") == "a&#39;b&quot;c")
}

@Test func emptyReportHasOnlyTheRecipe() {
  let html = ReportData(name: "x", subtitle: "y", metric: .loss, recipe: "name: x").html()
  #expect(html.contains("<h2>Recipe</h2>"))
  for title in ["Curves", "Confusion", "Plan", "Taken for", "Written"] {
    #expect(!html.contains("<h2>\(title)"))
  }
}

@Test func wideRangesOfLossGetALogarithmicScale() {
  var report = ReportData(name: "x", subtitle: "y", metric: .loss, recipe: "")
  let rows = { (ratio: Double) in
    (1...10).map {
      MetricsRow(step: $0, epoch: 0, samples: 0, seconds: 0, trainLoss: 1 / pow(ratio, Double($0)))
    }
  }
  report.rows = rows(1.1)
  #expect(!report.html().contains("log scale"))
  report.rows = rows(3)
  #expect(report.html().contains("nats, log scale"))
}

@Test func manyClassesAreListedNotTabled() {
  let count = 100
  var counts = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
  counts[3][5] = 7
  var report = ReportData(name: "x", subtitle: "y", metric: .accuracy, recipe: "")
  report.confusion = .init(classes: (0..<count).map { "class \($0)" }, counts: counts)
  #expect(!report.html().contains("<table class='heat'"))
  #expect(report.html().contains("class 3 taken for class 5"))
}

@Test func pngIsByteExact() {
  let image = ReportData.Image(width: 2, height: 1, channels: 3, pixels: [255, 0, 0, 0, 255, 128])
  #expect(
    Data(PNG.encode(image)).base64EncodedString()
      == "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAEklEQVR4AQEHAPj/AP8AAAD/"
      + "gAh/An8LK4nNAAAAAElFTkSuQmCC"
  )
}
