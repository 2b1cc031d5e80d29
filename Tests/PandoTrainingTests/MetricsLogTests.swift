import Foundation
import PandoData
import PandoTraining
import Testing

private func row(_ step: Int, evaluation: [String: Double] = [:]) -> MetricsRow {
  MetricsRow(
    step: step, epoch: Double(step) / 10, samples: step * 8, seconds: 0.5, trainLoss: 1 / Double(step),
    learningRate: 1e-3, samplesPerSecond: 100, evaluation: evaluation)
}

struct MetricsLogTests {
  let folder: TemporaryFolder
  let url: URL

  init() throws {
    folder = try TemporaryFolder()
    url = folder.url.appending(path: "metrics.jsonl")
  }

  private func write(_ steps: ClosedRange<Int>) throws -> [MetricsRow] {
    let log = try MetricsLog(url, resumingAfter: nil)
    let rows = steps.map { step in
      var row = row(step, evaluation: step == 3 ? ["accuracy": 0.75, "loss": 0.5] : [:])
      if step == 2 { (row.figures, row.bubble) = (["balance_loss": 1.25, "dropped_share": 0.125], 0.5) }
      return row
    }
    for row in rows { try log.append(row) }
    return rows
  }

  @Test func recordsAreThereAtOnce() throws {
    let log = try MetricsLog(url, resumingAfter: nil)
    try log.append(
      MetricsRow(
        step: 2, epoch: 0.25, samples: 64, seconds: 1.5, trainLoss: 0.5, learningRate: 1e-3,
        evaluation: ["loss": .nan, "accuracy": 1]))
    #expect(
      try String(contentsOf: url, encoding: .utf8) == """
        {"step":2,"epoch":0.25,"samples":64,"seconds":1.5,"train_loss":0.5,"learning_rate":0.001,\
        "eval":{"accuracy":1,"loss":null}}

        """)
    let read = try #require(try MetricsLog.read(url).first)
    #expect(read.evaluation["loss"]?.isNaN == true)
    #expect(read.gradientNorm == nil)
  }

  @Test func recordsAreReadBack() throws {
    let rows = try write(1...5)
    #expect(try MetricsLog.read(url) == rows)
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(text.contains("\"balance_loss\":1.25,\"dropped_share\":0.125,\"bubble\":0.5"))
  }

  @Test func recordsBeyondTheResumedStepGo() throws {
    let rows = try write(1...9)
    let log = try MetricsLog(url, resumingAfter: 4)
    #expect(try MetricsLog.read(url) == Array(rows[..<4]))
    try log.append(row(5))
    #expect(try MetricsLog.read(url).map(\.step) == [1, 2, 3, 4, 5])
  }

  /// A kill may cut the file at any byte: whole records stay, the torn one goes.
  @Test func tornLastLineGoes() throws {
    let rows = try write(1...3)
    let whole = try Data(contentsOf: url)
    let lengths = rows.indices.map { whole.split(separator: 10)[...$0].reduce(0) { $0 + $1.count + 1 } }
    for cut in 0...whole.count {
      try whole.prefix(cut).write(to: url)
      let count = lengths.count { $0 <= cut }
      #expect(try MetricsLog.read(url) == Array(rows[..<count]))
      let log = try MetricsLog(url, resumingAfter: 3)
      try log.append(row(4))
      #expect(try MetricsLog.read(url) == rows[..<count] + [row(4)])
    }
  }

  @Test func newRunStartsEmpty() throws {
    _ = try write(1...3)
    _ = try MetricsLog(url, resumingAfter: nil)
    #expect(try MetricsLog.read(url).isEmpty)
  }

  @Test func wrongFilesAreRefused() throws {
    try Data("{\"step\":1}\n".utf8).write(to: url)
    let error = #expect(throws: DataError.self) { try MetricsLog.read(url) }
    #expect(error?.place == "\(url.path):1")
    #expect(throws: DataError.self) { try MetricsLog.read(folder.url.appending(path: "none")) }
    #expect(throws: DataError.self) { try MetricsLog(folder.url, resumingAfter: nil) }
  }
}
