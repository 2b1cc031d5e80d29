import PandoEngine
import PandoIR
import PandoOperations

/// Training steps of networks drawn at random: layers in a row, with residual connections, norms, dropout and
/// connections that skip layers. The same seed draws the same step.
public struct RandomTrainingStep: Sendable {
  /// The step: its outputs are the loss, and after it the new value of each parameter.
  public let graph: Graph
  /// Numbers for its inputs.
  public let arguments: [ReferenceTensor]
  /// For each parameter (by its place among the inputs) the output that takes its memory over.
  public let donations: [Int: Int]

  /// Draws a step of a network with `layers` layers on `[rows, features]`.
  public init(seed: UInt64, layers: Int = 6, rows: Int = 6, features: Int = 10) throws {
    var network = Network(seed: seed, rows: rows, features: features)
    for layer in 0..<layers { try network.addLayer(layer) }
    let forward = try network.finish()
    let places = network.parameters
    var builder = GraphBuilder()
    let inputs = forward.inputs.map { builder.input($0.name, $0.value.type) }
    let one = try builder.constant(1, forward.outputs[0].type)
    let reversed = try builder.reverse(forward, arguments: inputs, cotangents: [one], wanted: places)
    var outputs = reversed.outputs
    // An update that waits for all gradients, as clipping by their norm does.
    var norm = outputs[0]
    let gradients = reversed.gradients.map { $0! }
    for gradient in gradients {
      norm = try builder.add(
        norm,
        builder.reduce(.sum, builder.multiply(gradient, gradient), Array(gradient.type.shape.indices)))
    }
    for (place, gradient) in zip(places, gradients) {
      let factor = try builder.broadcast(
        builder.unary(.hyperbolicTangent, norm), to: gradient.type.shape, dimensions: [])
      outputs.append(try builder.subtract(inputs[place], builder.multiply(gradient, factor)))
    }
    builder.setOutputs(outputs)
    graph = builder.graph
    arguments = network.arguments
    donations = Dictionary(uniqueKeysWithValues: places.enumerated().map { ($0.element, $0.offset + 1) })
  }
}

private struct Network {
  var builder = GraphBuilder()
  var arguments: [ReferenceTensor] = []
  /// The places of the parameters among the inputs.
  var parameters: [Int] = []
  private var random: SampleRandom
  private let key: Value
  private let width: Int
  private var stream: [Value]

  init(seed: UInt64, rows: Int, features: Int) {
    random = SampleRandom(seed: seed)
    width = features
    var draw = random
    let batch = TensorType([rows, features])
    stream = [builder.input("batch", batch)]
    arguments.append(ReferenceTensor(batch, reals: (0..<batch.count).map { _ in draw.unit() * 2 - 1 }))
    key = builder.input("key", TensorType([2], .int64))
    arguments.append(ReferenceTensor(key.type, real: { Double($0) }, integer: { Int64($0 + 3) }))
    random = draw
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  private mutating func parameter(_ name: String, _ shape: [Int]) -> Value {
    let type = TensorType(shape)
    var draw = random
    arguments.append(ReferenceTensor(type, reals: (0..<type.count).map { _ in draw.unit() - 0.5 }))
    random = draw
    parameters.append(builder.graph.inputs.count)
    return builder.input(name, type)
  }

  mutating func addLayer(_ number: Int) throws {
    let layer = "blocks.\(number)"
    var x = stream[stream.count - 1]
    if below(3) == 0 {
      let (scale, shift) = (
        parameter("\(layer).norm.weight", [width]), parameter("\(layer).norm.bias", [width])
      )
      x = try builder.emit(LayerNorm(), operands: [x, scale, shift])[0]
    }
    x = try builder.contract("ik,jk->ij", x, parameter("\(layer).weight", [width, width]))
    let bias = parameter("\(layer).bias", [width])
    x = try builder.add(x, builder.broadcast(bias, to: x.type.shape, dimensions: [1]))
    let functions: [any PandoIR.Operation] = [
      Unary(.hyperbolicTangent), Unary(.logistic), SiLU(), GELU(), ReLU(), Softmax(dimension: 1),
    ]
    x = try builder.emit(functions[below(functions.count)], operands: [x])[0]
    if below(3) == 0 {
      x = try builder.emit(Dropout(probability: 0.3, stream: number), operands: [x, key])[0]
    }
    if below(2) == 0 { x = try builder.add(x, stream[stream.count - 1]) }
    if below(4) == 0 { x = try builder.add(x, stream[below(stream.count)]) }
    stream.append(x)
  }

  mutating func finish() throws -> Graph {
    let head = parameter("head.weight", [width, width])
    let out = try builder.unary(
      .hyperbolicTangent, builder.contract("ik,jk->ij", stream[stream.count - 1], head))
    builder.setOutputs([try builder.mean(builder.multiply(out, out), [0, 1])])
    return builder.graph
  }
}
