import Foundation
import Pando
import PandoNN
import Testing

private let (batch, time, features, hidden) = (3, 7, 5, 6)

/// The mixture of experts against a plain loop over tokens and experts, written from the papers.
@Suite struct MixtureOfExpertsTests {
  /// What a layer computes, and how.
  struct Case: Sendable, CustomTestStringConvertible {
    let experts: Int
    let top: Int
    let capacity: Double
    var testDescription: String { "\(top) of \(experts), capacity \(capacity)" }
  }

  /// With little room most second choices are dropped; with much, none.
  static let cases = [
    Case(experts: 4, top: 1, capacity: 1), Case(experts: 4, top: 2, capacity: 0.6),
    Case(experts: 4, top: 2, capacity: 1.25), Case(experts: 3, top: 3, capacity: 9),
    Case(experts: 1, top: 1, capacity: 1),
  ]

  /// A layer in float64 with made-up weights and inputs.
  struct Made {
    let layer: MixtureOfExperts
    let x: Tensor
    let feeds: [Feed]
    var names: [String: [Double]] = [:]

    init(_ example: Case) throws {
      let options = MixtureOfExperts.Options(
        count: example.experts, top: example.top, capacity: example.capacity, balance: 0.01, routerZ: 0.001)
      layer = MixtureOfExperts(features, hidden: hidden, options, activation: .tanh, dtype: .float64)
      x = .placeholder("x", TensorType([batch, time, features], .float64))
      var feeds: [Feed] = []
      let parameters = try layer.namedParameters().map { ($0.name, $0.parameter.tensor) }
      for (place, (name, tensor)) in ([("x", x)] + parameters).enumerated() {
        let values = (0..<tensor.type.count).map { index -> Double in
          let step: Int = (index * 7919 + place * 104_729 + index * index * 31) % 2003
          return Double(step) / 1000 - 1
        }
        names[name] = values
        feeds.append((tensor, HostBuffer(tensor.type, doubles: values)))
      }
      self.feeds = feeds
    }
  }

  /// The layer's output and its two losses, token by token.
  private func plain(
    _ example: Case, _ numbers: [String: [Double]]
  ) -> (y: [Double], balance: Double, z: Double, dropped: Int) {
    let experts = example.experts
    let x = numbers["x"]!
    let slots = min(time, Int((Double(time * example.top) / Double(experts) * example.capacity).rounded(.up)))
    var y = [Double](repeating: 0, count: x.count)
    var (balance, z, dropped) = (0.0, 0.0, 0)

    let router = numbers["router.weight"]!
    let (up, upBias) = (numbers["up.weight"]!, numbers["up.bias"]!)
    let (down, downBias) = (numbers["down.weight"]!, numbers["down.bias"]!)

    func product(_ weight: [Double], _ row: Int, _ vector: [Double]) -> Double {
      var sum = 0.0
      for (place, value) in vector.enumerated() { sum += weight[row * vector.count + place] * value }
      return sum
    }
    func expert(_ e: Int, _ token: [Double]) -> [Double] {
      var inner: [Double] = []
      for h in 0..<hidden {
        let row: Int = e * hidden + h
        inner.append(tanh(upBias[row] + product(up, row, token)))
      }
      return (0..<features).map { f in
        let row: Int = e * features + f
        return downBias[row] + product(down, row, inner)
      }
    }
    func token(_ b: Int, _ t: Int) -> [Double] {
      let start: Int = (b * time + t) * features
      return Array(x[start..<start + features])
    }

    for b in 0..<batch {
      var probabilities: [[Double]] = []
      for t in 0..<time {
        let input = token(b, t)
        let powers: [Double] = (0..<experts).map { exp(product(router, $0, input)) }
        let sum = powers.reduce(0, +)
        probabilities.append(powers.map { $0 / sum })
        z += log(sum) * log(sum) / Double(batch * time)
      }
      let orders = probabilities.map { row in (0..<experts).sorted { row[$0] > row[$1] } }
      var used = [Int](repeating: 0, count: experts)
      var chosen = [Int](repeating: 0, count: experts)
      for rank in 0..<example.top {
        for t in 0..<time {
          let e = orders[t][rank]
          chosen[e] += 1
          guard used[e] < slots else {
            dropped += 1
            continue
          }
          used[e] += 1
          var weight = probabilities[t][e]
          if example.top > 1 {
            weight /= orders[t].prefix(example.top).map { probabilities[t][$0] }.reduce(0, +)
          }
          let start: Int = (b * time + t) * features
          for (f, value) in expert(e, token(b, t)).enumerated() { y[start + f] += weight * value }
        }
      }
      for e in 0..<experts {
        let mean: Double = probabilities.map { $0[e] }.reduce(0, +) / Double(time)
        let share: Double = Double(chosen[e]) / Double(time * example.top)
        balance += Double(experts) * share * mean / Double(batch)
      }
    }
    return (y, balance, z, dropped)
  }

  @Test(arguments: cases) func computesWhatThePapersSay(_ example: Case) throws {
    let made = try Made(example)
    let context = Context.training(key: key(1, 1))
    let y = made.layer(made.x, context)
    #expect(y.failure == nil && y.shape == made.x.shape)
    #expect(context.losses.map(\.name) == ["balance", "router-z"])
    #expect(context.losses.map(\.weight) == [0.01, 0.001])
    #expect(context.figures.map(\.name) == ["balance_loss", "dropped_share"])
    let expected = plain(example, made.names)
    if example.capacity < 1 { #expect(expected.dropped > 0) }
    if example.capacity == 9 { #expect(expected.dropped == 0) }
    for device in [Device.reference, .cpu] {
      let told = context.losses.map(\.value) + context.figures.map(\.value)
      let results = try run([y] + told, made.feeds, on: device).map(\.doubles)
      for (a, b) in zip(results[0], expected.y) { #expect(abs(a - b) < 1e-9) }
      #expect(abs(results[1][0] - expected.balance) < 1e-9)
      #expect(abs(results[2][0] - expected.z) < 1e-9)
      #expect(abs(results[3][0] - expected.balance) < 1e-9)
      #expect(abs(results[4][0] - Double(expected.dropped) / Double(batch * time * example.top)) < 1e-9)
    }
  }

  /// Central differences along one direction for each parameter, and for the input.
  @Test(arguments: cases) func gradientsAreThoseOfDifferences(_ example: Case) throws {
    let made = try Made(example)
    let context = Context.training(key: key(1, 1))
    let y = made.layer(made.x, context)
    let loss = (y * y).mean() + context.auxiliaryLoss! * 30
    let places = made.feeds.map(\.placeholder)
    let slopes = try run(try gradient(of: loss, at: places), made.feeds, on: .reference).map(\.doubles)
    let step = 1e-6
    for (place, feed) in made.feeds.enumerated() {
      let direction = (0..<feed.buffer.type.count).map { index -> Double in
        let step: Int = (index * 37 + place) % 11
        return Double(step) / 5 - 1
      }
      func moved(_ sign: Double) throws -> Double {
        var feeds = made.feeds
        let values = zip(feed.buffer.doubles, direction).map { $0 + sign * step * $1 }
        feeds[place].buffer = HostBuffer(feed.buffer.type, doubles: values)
        return try run([loss], feeds, on: .reference)[0].doubles[0]
      }
      let difference = try (moved(1) - moved(-1)) / (2 * step)
      let slope = zip(slopes[place], direction).map { $0 * $1 }.reduce(0, +)
      #expect(
        abs(difference - slope) <= 1e-6 * max(1, abs(difference)), "\(feed.placeholder.placeholderName ?? "")"
      )
    }
  }

  /// Figures of one name are the mean over the layers that gave them.
  @Test func figuresAreMeansOverLayers() throws {
    let context = Context.training(key: key(1, 1))
    context.report("b", Tensor(3))
    context.report("a", Tensor(1))
    context.report("a", Tensor(2))
    #expect(context.figures.map(\.name) == ["a", "b"])
    #expect(try run(context.figures.map(\.value), [], on: .cpu).map { $0.doubles[0] } == [1.5, 3])
  }

  @Test func transformersHaveExpertsInEverySecondBlock() throws {
    let model = GPT(
      vocabulary: 11, context: 8, layers: 4, width: 16, heads: 4, experts: MixtureOfExperts.Options(count: 4),
      expertInterval: 2)
    let names = try model.namedParameters().map(\.name)
    #expect(names.filter { $0.hasSuffix("experts.router.weight") }.count == 2)
    #expect(names.contains("blocks.0.mlp.up.weight") && names.contains("blocks.3.experts.down.bias"))
    let up = try model.namedParameters().first { $0.name == "blocks.1.experts.up.weight" }
    #expect(up?.parameter.axes == ["expert", "mlp", "embed"] && up?.parameter.type.shape == [4, 64, 16])
    // Only training has losses of its own.
    let context = Context.evaluation()
    let logits = model(.placeholder("tokens", TensorType([2, 8], .int32)), context)
    #expect(logits.failure == nil && logits.shape == [2, 8, 11] && context.losses.isEmpty)
    #expect(context.figures.isEmpty)
  }
}
