import Pando
import PandoNN
import PandoOptimizers
import Testing

/// Two convolutions with batch norm, as in the golden file.
private struct SmallCNN: Layer {
  let conv1 = Conv2d(1, 8, kernel: 3, padding: 1, bias: false)
  let norm1 = BatchNorm2d(8)
  let conv2 = Conv2d(8, 16, kernel: 3, padding: 1, bias: false)
  let norm2 = BatchNorm2d(16)
  let head = Linear(16, 10)
  private let shrink = MaxPool2d(kernel: 2)
  private let average = AdaptiveAvgPool2d(1)

  func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    let y = shrink(relu(norm1(conv1(x), context)))
    return head(average(relu(norm2(conv2(y), context))).flatten(from: 1))
  }
}

/// One residual block, the mean over the image, and a linear layer.
private struct OneBlock: Layer {
  let block = BasicBlock(6, 12, stride: 2)
  let head = Linear(12, 7)

  func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor { head(block(x, context).mean([2, 3])) }
}

private func model(_ name: String) -> any Layer {
  switch name {
  case "mlp": MLP(inputs: 20, hidden: [32, 16], outputs: 5)
  case "residual_mlp":
    ResidualMLP(inputs: 12, features: 16, layers: 3, hidden: 24, outputs: 5, activation: .gelu)
  case "cnn": SmallCNN()
  case "resnet_block": OneBlock()
  default: GPT(vocabulary: 30, context: 16, layers: 2, width: 32, heads: 4, tied: false)
  }
}

@Test(arguments: ["mlp", "residual_mlp", "cnn", "resnet_block", "gpt"], devices)
func modelTrainsAsInPyTorch(_ name: String, _ deviceName: String) throws {
  let golden = try Golden(name)
  let run = try GoldenTraining(model(name), golden, Device(named: deviceName))

  let (logits, loss, gradients) = try run.firstStep()
  #expect(relativeError(logits, try golden.values("output.logits")) < 1e-4)
  #expect(relativeError([loss], try golden.values("output.loss")) < 1e-4)
  #expect(gradients.map(\.name).sorted() == golden.names("grad"))
  for (name, gradient) in gradients {
    #expect(relativeError(gradient, try golden.values("grad.\(name)")) < 1e-4, "gradient of \(name)")
  }

  let losses = try run.train(steps: 10)
  #expect(relativeError(losses, try golden.values("losses")) < 1e-4)
  for (got, right) in zip(losses, try golden.values("losses")) { #expect(abs(got - right) < 1e-4 * right) }
  for name in golden.names("after") {
    let (got, right) = (run.value(name), try golden.values("after.\(name)"))
    // A bias on attention keys has no gradient but rounding noise, of which Adam makes something arbitrary.
    let parts =
      name.hasSuffix("qkv.bias")
      ? [0..<right.count / 3, right.count * 2 / 3..<right.count] : [0..<right.count]
    for part in parts {
      #expect(relativeError(Array(got[part]), Array(right[part])) < 1e-4, "\(name) after ten steps")
    }
  }
  #expect(relativeError(try run.evaluate(), try golden.values("after_output.logits")) < 1e-4)
}

/// Mixed precision against what PyTorch computed in float64. With unit roundoff u = 2^-9 the few tens of roundings in
/// these networks move logits by some √30 u = 0.011 of their norm and losses, which average over the batch, by less.
/// Gradients of networks without choices (rectifiers with few units, poolings) are off by no more than twice that.
@Test(arguments: ["mlp", "cnn", "resnet_block", "gpt"])
func modelTrainsInMixedPrecisionAsInPyTorch(_ name: String) throws {
  let golden = try Golden(name)
  let run = try GoldenTraining(model(name), golden, .cpu, isMixed: true)
  let (logits, loss, gradients) = try run.firstStep()
  #expect(relativeError(logits, try golden.values("output.logits")) < 0.011)
  #expect(relativeError([loss], try golden.values("output.loss")) < 0.005)
  if name == "gpt" {
    for (name, gradient) in gradients {
      #expect(relativeError(gradient, try golden.values("grad.\(name)")) < 0.022, "gradient of \(name)")
    }
  }
  let losses = try run.train(steps: 10)
  for (got, right) in zip(losses, try golden.values("losses")) { #expect(abs(got - right) < 0.01 * right) }
}

/// A network with a golden file's weights, trained with AdamW on its batch.
private final class GoldenTraining {
  private let model: any Layer
  private let device: Device
  private let x: Feed
  private let y: Feed
  private let isMixed: Bool
  private var weights: [(entry: NamedParameter, buffer: HostBuffer)]

  init(_ model: any Layer, _ golden: Golden, _ device: Device, isMixed: Bool = false) throws {
    self.model = model
    self.isMixed = isMixed
    self.device = device
    x = try feed(golden, "input.x")
    y = try feed(golden, "input.y")
    weights = try model.namedParameters().map {
      ($0, try golden.buffer("\($0.parameter.isTrainable ? "param" : "buffer").\($0.name)"))
    }
  }

  private var feeds: [Feed] { weights.map { ($0.entry.parameter.tensor, $0.buffer) } + [x, y] }
  private var trained: [NamedParameter] { weights.map(\.entry).filter(\.parameter.isTrainable) }

  func value(_ name: String) -> [Double] { weights.first { $0.entry.name == name }?.buffer.doubles ?? [] }

  private func forward(
    _ context: Context
  ) throws -> (logits: Tensor, loss: Tensor, updates: [(parameter: Parameter, value: Tensor)]) {
    let logits = model(x.placeholder, context)
    let loss = crossEntropy(logits, y.placeholder)
    let updates = context.updates
    guard isMixed else { return (logits, loss, updates) }
    let mixed = try mixedPrecision(
      [logits, loss] + updates.map(\.value), inputs: feeds.map(\.placeholder))
    return (mixed[0], mixed[1], zip(updates, mixed.dropFirst(2)).map { ($0.parameter, $1) })
  }

  func firstStep() throws -> (logits: [Double], loss: Double, gradients: [(name: String, values: [Double])]) {
    let (logits, loss, _) = try forward(.training(key: key(0, 0)))
    let gradients = try gradient(of: loss, at: trained.map(\.parameter.tensor))
    let results = try run([logits, loss] + gradients, feeds, on: device).map(\.doubles)
    return (results[0], results[1][0], zip(trained, results.dropFirst(2)).map { ($0.name, $1) })
  }

  func evaluate() throws -> [Double] {
    try run([try forward(.evaluation()).logits], feeds, on: device)[0].doubles
  }

  /// Returns the loss before each step.
  func train(steps: Int) throws -> [Double] {
    let (_, loss, updates) = try forward(.training(key: key(0, 0)))
    let rule = AdamW(weightDecay: 0.01)
    let rate = Tensor.placeholder("rate", .scalar(.float32))
    let step = Tensor.placeholder("step", .scalar(.float32))
    let gradients = try gradient(of: loss, at: trained.map(\.parameter.tensor))
    var old: [Feed] = []
    var new: [Tensor] = []
    for (entry, gradient) in zip(trained, gradients) {
      let slots = rule.slots(for: entry.parameter.type).map { Tensor.placeholder($0.name, $0.type) }
      let update = rule.update(
        parameter: entry.parameter.tensor, gradient: gradient, state: slots, learningRate: rate, step: step,
        decays: true)
      let buffer = weights.first { $0.entry.name == entry.name }!.buffer
      old += [(entry.parameter.tensor, buffer)] + slots.map { ($0, HostBuffer($0.type)) }
      new += [update.parameter] + update.state
    }
    for (statistic, value) in updates {
      old.append((statistic.tensor, weights.first { $0.entry.parameter === statistic }!.buffer))
      new.append(value)
    }
    let rates = [(rate, HostBuffer(rate.type, doubles: [1e-3])), (step, HostBuffer(step.type))]
    let inputs = old + rates + [x, y]
    let program = try Program(
      new + [loss], inputs: inputs.map(\.placeholder),
      donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: device)
    let lossBuffer = HostBuffer(loss.type)
    program.bind(inputs.map(\.buffer), into: old.map(\.buffer) + [lossBuffer])
    return try (1...steps).map { number in
      rates[1].1.pointer.storeBytes(of: Float(number), as: Float.self)
      try program.run()
      return lossBuffer.doubles[0]
    }
  }
}
