import Pando
import PandoNN
import PandoOptimizers

struct Classifier: Module {
  let hidden = Linear(784, 512)
  let output = Linear(512, 10)

  func callAsFunction(_ x: Tensor) -> Tensor { output(relu(hidden(x))) }
}

/// Trains the classifier on made-up pictures: ten fixed patterns, each example one of them under strong noise.
@main
struct Example {
  static func main() throws {
    let (batch, steps) = (128, 100)
    let model = Classifier()
    let rule = SGD(momentum: 0.9)
    let parameters = try model.namedParameters()

    // The step as tensors without numbers: the loss, its gradient, and what each parameter becomes.
    let x = Tensor.placeholder("x", TensorType([batch, 784]))
    let y = Tensor.placeholder("y", TensorType([batch], .int32))
    let rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    let number = Tensor.placeholder("step", .scalar(.float32))
    let loss = crossEntropy(model(x), y)
    let weights = parameters.map(\.parameter.tensor)
    let gradients = try gradient(of: loss, at: weights)
    var (state, newWeights, newState): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    for (parameter, slope) in zip(parameters, gradients) {
      let slots = rule.slots(for: parameter.parameter.type).map {
        Tensor.placeholder("\(parameter.name).\($0.name)", $0.type)
      }
      let new = rule.update(
        parameter: parameter.parameter.tensor, gradient: slope, state: slots, learningRate: rate,
        step: number, decays: parameter.decays)
      state += slots
      newWeights.append(new.parameter)
      newState += new.state
    }

    // One program. Each weight and each state is donated: what it becomes is written over it.
    let old = weights + state
    let program = try Program(
      newWeights + newState + [loss], inputs: old + [rate, number, x, y],
      donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }))
    let memory =
      parameters.map { $0.parameter.initializer.makeBuffer($0.parameter.type, name: $0.name, seed: 1) }
      + state.map { HostBuffer($0.type) }
    let result = HostBuffer(loss.type)
    let rateBuffer = HostBuffer(rate.type, [Float(0.01)])
    let patterns = normal([10, 784], "patterns")

    for step in 1...steps {
      let labels = (0..<batch).map { Int32(($0 + step) % 10) }
      var pixels = normal([batch, 784], "noise \(step)")
      for place in pixels.indices {
        pixels[place] = 3 * pixels[place] + patterns[Int(labels[place / 784]) * 784 + place % 784]
      }
      program.bind(
        memory + [rateBuffer, HostBuffer(number.type, [Float(step)])]
          + [HostBuffer(x.type, pixels), HostBuffer(y.type, labels)],
        into: memory + [result])
      try program.run()
      if step == 1 || step % 10 == 0 { print("step \(step): loss \(result.doubles[0])") }
    }
    print("intermediate values took \(program.memory.arenaBytes) bytes, as planned before the first step")
  }

  /// Normally distributed numbers that depend on `name` only.
  static func normal(_ shape: [Int], _ name: String) -> [Float] {
    Initializer.normal(deviation: 1).makeBuffer(TensorType(shape), name: name, seed: 1)
      .elements(as: Float.self)
  }
}
