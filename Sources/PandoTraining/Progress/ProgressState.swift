/// Where a run is.
public struct ProgressState: Sendable {
  /// Steps done, and steps that there are.
  public var step: Int, totalSteps: Int
  /// The training loss, lately.
  public var loss: Double?
  /// The last evaluation's metric by its name.
  public var metric: (name: String, value: Double)?
  /// Training speed.
  public var samplesPerSecond: Double?
  /// How evenly the experts of a mixture are used, lately; 1 where they are.
  public var balance: Double?
  /// Time that the rest will take; filled in from the steps so far where absent.
  public var secondsLeft: Double?

  /// A run at `step`.
  public init(
    step: Int, totalSteps: Int, loss: Double? = nil, metric: (name: String, value: Double)? = nil,
    samplesPerSecond: Double? = nil, secondsLeft: Double? = nil, balance: Double? = nil
  ) {
    self.balance = balance
    self.step = step
    self.totalSteps = totalSteps
    self.loss = loss
    self.metric = metric
    self.samplesPerSecond = samplesPerSecond
    self.secondsLeft = secondsLeft
  }

  /// Where the run is one of several: what it is (`rung 5/16`), and the share of all of them that is done.
  public var part: (name: String, share: Double)?

  /// One line: `step 120/2,000 · 6 % · loss 0.4213 · accuracy 92.10 % · 12.3k samples/s · 3 min 05 s left`.
  ///
  /// - Parameter width: the most characters there is room for; what matters least is left out first.
  package func line(width: Int = .max) -> String {
    let share = part?.share ?? (totalSteps > 0 ? Double(step) / Double(totalSteps) : nil)
    let percent = share.map { "\(Int(($0 * 100).rounded(.down))) %" }
    // From the first to be kept to the last, each with its place in the line.
    let parts: [(place: Int, text: String?)] = [
      (0, "step \(Figures.grouped(step))/\(Figures.grouped(totalSteps))"),
      (2, loss.map { "loss \(Figures.number($0))" }),
      (6, step < totalSteps ? secondsLeft.map { "\(Figures.duration($0)) left" } : nil),
      (4, metric.map { "\($0.name) \(Figures.metric($0.name, $0.value))" }),
      (1, percent),
      (5, samplesPerSecond.flatMap { $0 > 0 ? "\(Figures.scaled($0)) samples/s" : nil }),
      (3, balance.map { "balance \(Figures.number($0))" }),
    ]
    var shown: [(place: Int, text: String)] = part.map { [(-1, $0.name)] } ?? []
    for case (let place, let text?) in parts {
      let length = (shown.map(\.text) + [text]).joined(separator: " · ").count
      if length <= width { shown.append((place, text)) }
    }
    return shown.sorted { $0.place < $1.place }.map(\.text).joined(separator: " · ")
  }
}
