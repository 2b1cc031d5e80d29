import Foundation
import Pando
import PandoNN
import PandoOptimizers
import Testing

private func gpt(width: Int, heads: Int = 2, base: Int?, tied: Bool = false) -> GPT {
  GPT(
    vocabulary: 11, context: 8, layers: 2, width: width, heads: heads, tied: tied,
    parametrization: base.map { .maximalUpdate(baseWidth: $0) } ?? .standard)
}

/// Table 8 of the paper, for a model four times as wide as its base.
@Test(arguments: [
  // Input weights and vectors: initial values and Adam's rate as in the base model, gradient descent's grows.
  ("token_embedding.weight", 0.02, 1.0, 4.0), ("position_embedding.weight", 0.02, 1, 4),
  ("blocks.0.attention.qkv.bias", 0, 1, 4), ("blocks.1.norm2.weight", 0, 1, 4), ("norm.bias", 0, 1, 4),
  // Hidden weights: the variance and Adam's rate fall with the inputs.
  ("blocks.0.attention.qkv.weight", 0.01, 0.25, 1), ("blocks.1.mlp.up.weight", 0.01, 0.25, 1),
  ("blocks.1.mlp.down.weight", 0.005, 0.25, 1), ("blocks.0.attention.projection.weight", 0.005, 0.25, 1),
  // Output weights, whose layer divides by the growth: as in the base model.
  ("head.weight", 0.02, 1, 4),
])
func parametersFollowTheTable(
  _ name: String, _ deviation: Double, _ adam: Double, _ gradientDescent: Double
) throws {
  let entry = try #require(try gpt(width: 128, base: 32).namedParameters().first { $0.name == name })
  let parameter = entry.parameter
  if case .normal(_, let found) = parameter.initializer { #expect(abs(found - deviation) < 1e-12) }
  #expect(parameter.growth.adaptiveRate == adam)
  #expect(parameter.growth.gradientRate == gradientDescent)
  // What weight decay does in a step does not depend on the width.
  let (rule, factor) = AdamW(weightDecay: 0.1).adapted(to: parameter.growth)
  #expect(factor == adam)
  #expect(abs(try #require(rule as? AdamW).weightDecay * factor - 0.1) < 1e-12)
  #expect(Adam().adapted(to: parameter.growth).rateFactor == adam)
  #expect(SGD().adapted(to: parameter.growth).rateFactor == gradientDescent)
}

@Test func ofTheBaseWidthItIsTheStandardModel() throws {
  let tokens = Tensor(HostBuffer(TensorType([1, 4], .int32), [Int32(1), 5, 0, 7]))
  for tied in [false, true] {
    let outputs = try [gpt(width: 32, base: nil, tied: tied), gpt(width: 32, base: 32, tied: tied)].map {
      model in
      try run([model(tokens, .evaluation())], start(model), on: .cpu)[0].doubles
    }
    #expect(relativeError(outputs[1], outputs[0]) < 1e-6)
  }
  #expect(try gpt(width: 32, base: nil).namedParameters().allSatisfy { $0.parameter.growth == .none })
}

/// A model's parameters with their initial values.
private func start(_ model: some Module) throws -> [Feed] {
  try model.namedParameters().map {
    ($0.parameter.tensor, $0.parameter.initializer.makeBuffer($0.parameter.type, name: $0.name, seed: 3))
  }
}

/// How far a few steps move a network's outputs: the mean size of the change.
private func change(
  _ model: some Layer, _ rule: any Optimizer, rate: Double, input: HostBuffer, target: HostBuffer
) throws -> Double {
  let named = try model.namedParameters()
  let (x, y) = (Tensor.placeholder("x", input.type), Tensor.placeholder("y", target.type))
  let step = Tensor.placeholder("step", .scalar(.float32))
  let outputs = model(x, .evaluation())
  let loss = crossEntropy(outputs.reshape(-1, outputs.size(outputs.rank - 1)), y.reshape(-1))
  let gradients = try gradient(of: loss, at: named.map(\.parameter.tensor))
  var old = try start(model)
  var new: [Tensor] = []
  var slots: [Feed] = []
  var newSlots: [Tensor] = []
  for (entry, gradient) in zip(named, gradients) {
    let (rule, factor) = rule.adapted(to: entry.parameter.growth)
    let state = rule.slots(for: entry.parameter.type).map {
      (Tensor.placeholder("\($0.name).\(entry.name)", $0.type), HostBuffer($0.type))
    }
    let update = rule.update(
      parameter: entry.parameter.tensor, gradient: gradient, state: state.map(\.0),
      learningRate: Tensor(rate * factor), step: step, decays: true)
    new.append(update.parameter)
    slots += state
    newSlots += update.state
  }
  old += slots
  let number = HostBuffer(step.type)
  let feeds = old + [(step, number), (x, input), (y, target)]
  let results = HostBuffer(outputs.type)
  let program = try Program(
    new + newSlots + [outputs], inputs: feeds.map(\.placeholder),
    donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: .cpu)
  program.bind(feeds.map(\.buffer), into: old.map(\.buffer) + [results])
  var first: [Double] = []
  for index in 1...5 {
    number.write(from: [Float(index)])
    try program.run()
    if index == 1 { first = results.doubles }
  }
  return zip(results.doubles, first).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(first.count)
}

/// The coordinate check of the paper (appendix D.1): what a few steps do to a network's outputs does not grow with the
/// width, and in the standard parametrization it does.
@Test(arguments: ["adamw", "sgd", "gpt"])
func stepsMoveOutputsAlikeAtAnyWidth(_ kind: String) throws {
  let pixels = HostBuffer(
    TensorType([16, 24]), doubles: (0..<384).map { Double(($0 * 7919) % 101) / 50 - 1 })
  let classes = HostBuffer(TensorType([16], .int32), (0..<16).map { Int32($0 % 5) })
  let tokens = HostBuffer(TensorType([4, 8], .int32), (0..<32).map { Int32(($0 * 5) % 11) })
  let next = HostBuffer(TensorType([4, 8], .int32), (0..<32).map { Int32(($0 * 5 + 5) % 11) })
  func growth(_ parametrization: (Int) -> Parametrization) throws -> Double {
    let changes = try [32, 512].map { width in
      switch kind {
      case "gpt":
        let model = GPT(
          vocabulary: 11, context: 8, layers: 1, width: width, heads: 2, tied: false,
          parametrization: parametrization(32))
        return try change(model, AdamW(), rate: 3e-3, input: tokens, target: next)
      default:
        let model = MLP(
          inputs: 24, hidden: [width, width], outputs: 5, parametrization: parametrization(32))
        return kind == "sgd"
          ? try change(model, SGD(), rate: 0.05, input: pixels, target: classes)
          : try change(model, AdamW(), rate: 1e-3, input: pixels, target: classes)
      }
    }
    return changes[1] / changes[0]
  }
  let (standard, maximal) = (try growth { _ in .standard }, try growth { .maximalUpdate(baseWidth: $0) })
  #expect(standard > 2.5, "standard: by a factor of \(standard)")
  #expect((0.5..<2).contains(maximal), "maximal update: by a factor of \(maximal)")
}
