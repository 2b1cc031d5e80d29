import Foundation
import PandoTraining
import Testing

/// What a run remembers of its starts.
@Suite struct RunLedgerTests {
  private let folder: TemporaryFolder
  private var url: URL { folder.url.appending(path: "ledger.json") }

  init() throws { folder = try TemporaryFolder() }

  private func start(_ step: Int, resumes: Bool = true, restarts: Int = 0) throws -> RunLedger {
    try RunLedger(url, resumes: resumes, from: step, restarts: restarts)
  }

  @Test func stepsDoneAgainAreCounted() throws {
    var ledger = try start(0, resumes: false)
    for step in 1...17 { ledger.didStep(step) }
    // Killed; the last checkpoint is of step 10.
    ledger = try start(10)
    #expect(ledger.entry.wastedSteps == 7 && ledger.entry.restarts == 1)
    // Killed at once, and once more.
    ledger = try start(10)
    for step in 11...12 { ledger.didStep(step) }
    ledger = try start(10)
    #expect(ledger.entry.wastedSteps == 9 && ledger.entry.restarts == 3)
    ledger.didStep(11)
    ledger.end()
    // Going on after a good end wastes nothing and is no restart.
    ledger = try start(11)
    #expect(ledger.entry.wastedSteps == 9 && ledger.entry.restarts == 3)
    #expect(try start(0, resumes: false).entry.restarts == 0)
  }

  /// Of ranks that died before they wrote anything only their supervisor knows.
  @Test func theSupervisorsCountHolds() throws {
    _ = try start(0, resumes: false)
    #expect(try start(0, restarts: 2).entry.restarts == 2)
    #expect(try start(0, restarts: 3).entry.restarts == 3)
    // It died too, and the next one begins to count anew.
    #expect(try start(0).entry.restarts == 4)
    #expect(try start(0, restarts: 1).entry.restarts == 5)
    try FileManager.default.removeItem(at: url)
    #expect(try start(0, restarts: 2).entry.restarts == 2)
  }

  @Test(arguments: ["", "{", "{\"step\": -1}", String(repeating: "9", count: 300)])
  func whatIsNoLedgerIsLeftOut(_ text: String) throws {
    try Data(text.utf8).write(to: url)
    let ledger = try start(5)
    #expect(ledger.entry.wastedSteps == 0 && ledger.entry.restarts == 0 && ledger.entry.step == 5)
  }

  /// A shorter line over a longer one leaves nothing of it.
  @Test func itIsAlwaysWhole() throws {
    let ledger = try start(0, resumes: false)
    for step in [123_456_789, 3] {
      ledger.didStep(step)
      let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any]
      #expect(object?["step"] as? Int == step)
    }
  }
}
