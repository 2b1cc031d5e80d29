import Pando
import PandoOptimizers
import Testing

/// A rule, the learning rate that its case has, and the parameters that decay.
struct OptimizerCase: CustomTestStringConvertible {
  let name: String
  let rate: Double
  let rule: any Optimizer

  var testDescription: String { name }

  static let all = [
    OptimizerCase(name: "sgd", rate: 0.1, rule: SGD()),
    OptimizerCase(name: "sgd_decay", rate: 0.1, rule: SGD(weightDecay: 0.05)),
    OptimizerCase(name: "sgd_momentum", rate: 0.1, rule: SGD(momentum: 0.9)),
    OptimizerCase(
      name: "sgd_nesterov", rate: 0.1, rule: SGD(momentum: 0.9, nesterov: true, weightDecay: 0.01)),
    OptimizerCase(name: "adam", rate: 0.01, rule: Adam()),
    OptimizerCase(
      name: "adam_decay", rate: 0.01, rule: Adam(beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weightDecay: 0.1)),
    OptimizerCase(name: "adamw", rate: 0.01, rule: AdamW(weightDecay: 0.01)),
    OptimizerCase(
      name: "adamw_other", rate: 0.02, rule: AdamW(beta1: 0.9, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.3)),
  ]
}

@Test(arguments: OptimizerCase.all, devices)
func optimizerTakesTheStepsOfPyTorch(_ item: OptimizerCase, _ deviceName: String) throws {
  let golden = try Golden("optimizer", case: item.name)
  for name in golden.names("param") {
    let parameter = try feed(golden, "param.\(name)")
    let type = parameter.buffer.type
    let gradients = try golden.values("grad.\(name)")
    let path = try golden.values("trajectory.\(name)")
    let gradient = HostBuffer(type)
    let slots = item.rule.slots(for: type).map { (Tensor.placeholder($0.name, $0.type), HostBuffer($0.type)) }
    let (rate, step) = (HostBuffer(.scalar(.float32), doubles: [item.rate]), HostBuffer(.scalar(.float32)))
    let feeds: [Feed] =
      [parameter] + slots
      + [
        (.placeholder("gradient", type), gradient), (.placeholder("rate", rate.type), rate),
        (.placeholder("step", step.type), step),
      ]
    let inputs = feeds.map(\.placeholder)
    let update = item.rule.update(
      parameter: inputs[0], gradient: inputs[1 + slots.count], state: slots.map(\.0),
      learningRate: inputs[2 + slots.count], step: inputs[3 + slots.count], decays: true)
    let program = try Program(
      [update.parameter] + update.state, inputs: inputs,
      donations: Dictionary(uniqueKeysWithValues: (0...slots.count).map { ($0, $0) }),
      on: Device(named: deviceName))
    program.bind(feeds.map(\.buffer), into: feeds[...slots.count].map(\.buffer))
    for index in 0..<10 {
      let part = index * type.count..<(index + 1) * type.count
      gradient.write(from: Array(gradients[part]).map { Float($0) })
      step.write(from: [Float(index + 1)])
      try program.run()
      #expect(relativeError(parameter.buffer.doubles, Array(path[part])) < 1e-5, "\(name), step \(index + 1)")
    }
  }
}

@Test(arguments: ["norm_above", "norm_below", "value"], devices)
func clippingAgreesWithPyTorch(_ name: String, _ deviceName: String) throws {
  let golden = try Golden("clipping", case: name)
  let names = golden.names("input")
  let feeds = try names.map { try feed(golden, "input.\($0)") }
  let gradients = feeds.map(\.placeholder)
  var outputs: [Tensor]
  if name == "value" {
    outputs = clipByValue(gradients, 0.5)
  } else {
    let clipped = clipByGlobalNorm(gradients, name == "norm_above" ? 1 : 100)
    outputs = clipped.gradients + [clipped.norm]
  }
  let results = try run(outputs, feeds, on: Device(named: deviceName))
  for (result, tensor) in zip(results, names.map { "output.\($0)" } + (name == "value" ? [] : ["norm"])) {
    #expect(relativeError(result.doubles, try golden.values(tensor)) < 1e-6, "\(tensor)")
  }
}
