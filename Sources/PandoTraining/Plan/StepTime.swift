import Pando

/// About how long a step takes.
public struct StepTime: Hashable, Sendable, Codable {
  /// Seconds of computing.
  public var compute = 0.0
  /// Seconds in which a rank does nothing but exchange, or wait for an exchange or another stage.
  public var exchange = 0.0

  /// No time.
  public init() {}

  /// Both together.
  public var seconds: Double { compute + exchange }

  static func + (a: StepTime, b: StepTime) -> StepTime {
    var sum = a
    sum.compute += b.compute
    sum.exchange += b.exchange
    return sum
  }

  static func * (time: StepTime, factor: Double) -> StepTime {
    var product = time
    product.compute *= factor
    product.exchange *= factor
    return product
  }
}

/// Reckons how long programs take on a machine, with their exchanges.
struct StepClock {
  let machine: PlanMachine
  /// Whether exchanges go on beside the computations.
  let hides: Bool

  /// One run of a program: nodes one behind the other; an exchange that was begun goes on beside what follows, where a core
  /// is free for it, and whoever waits for it waits for what is left.
  func time(of program: Program) -> StepTime {
    let footprint = program.memory.plannedPeakBytes
    var time = StepTime()
    // When the exchanges begun so far are over, which are done one behind the other.
    var lineFree = 0.0
    var ends: [Int: Double] = [:]
    for node in program.compiledGraph.nodes {
      if let exchange = node.stepExchange {
        let seconds = seconds(of: exchange)
        guard hides, let channel = (node.operation as? any ExchangeOperation)?.channel else {
          time.exchange += seconds
          continue
        }
        lineFree = max(lineFree, time.seconds) + seconds
        ends[channel] = lineFree
      } else if let end = node.operation as? any ExchangeEnd {
        if let over = ends.removeValue(forKey: end.channel) {
          time.exchange += max(0, over - time.seconds)
        }
      } else {
        time.compute += machine.ceilings.seconds(of: node, footprint: footprint)
      }
    }
    return time
  }

  /// One of exchanges that are alike.
  func seconds(of exchange: StepExchange) -> Double {
    machine.link.seconds(of: exchange.kind, bytes: exchange.bytes, ranks: exchange.ranks)
  }

  /// A step of one rank that does not wait for other stages.
  func time(of step: any StepProgram) -> StepTime {
    var time = step.phases.reduce(StepTime()) { $0 + self.time(of: $1.program) * Double($1.runs) }
    time.exchange += step.exchanges.reduce(0) { $0 + seconds(of: $1) * $1.count }
    return time
  }

  /// A step in a pipeline, event by event.
  ///
  /// - Parameter stages: one rank's step of each stage, in their order.
  func time(of stages: [PipelineStep]) -> StepTime {
    let order = stages[0].order
    func seconds(_ program: Program) -> Double { time(of: program).seconds }
    let forward = stages.map { $0.passes.map { seconds($0.forward) } }
    let backward = stages.map { $0.passes.map { seconds($0.backward) } }
    let sends = stages.flatMap(\.exchanges).filter { $0.kind == .send }.map { self.seconds(of: $0) }
    let simulated = PipelineSimulation(
      order, forward: { forward[$0][$1] }, backward: { backward[$0][$1] }, send: sends.max() ?? 0
    ).run()
    let busiest =
      stages.indices.map { stage in
        (forward[stage] + backward[stage]).reduce(0, +) * Double(order.microBatches)
      }.max() ?? 0
    let updates = stages.map { stage in
      var own = stage.updatePrograms.reduce(StepTime()) { $0 + time(of: $1) }
      for exchange in stage.exchanges where exchange.kind != .send {
        own.exchange += self.seconds(of: exchange) * exchange.count
      }
      return own
    }
    var total = updates.max { $0.seconds < $1.seconds } ?? StepTime()
    total.compute += busiest
    total.exchange += max(0, simulated - busiest)
    return total
  }
}
