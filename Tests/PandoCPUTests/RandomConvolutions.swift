import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms

/// A small random network of convolutions, norms, poolings and short cuts: its loss, and in training all gradients,
/// otherwise also the terms that the loss is the sum of.
///
/// Channels are often no multiple of any block, sizes odd, windows strided, dilated or grouped.
struct RandomConvolutions {
  let graph: Graph
  var arguments: [ReferenceTensor]
  private var random: SampleRandom

  init(seed: UInt64, batch: Int = 2, dtype: DType = .float32, isTraining: Bool = true) throws {
    random = SampleRandom(seed: seed)
    var network = Network(random: random, dtype: dtype)
    var x = network.input([
      batch, network.pick([1, 3, 16, 32]), network.pick([6, 7, 9]), network.pick([6, 8]),
    ])
    for _ in 0..<5 { x = try network.layer(x, isTraining: isTraining) }
    let weighted = try network.builder.multiply(x, network.input(x.type.shape))
    let wide = try network.builder.convert(weighted, to: .float32)
    let loss = try network.builder.reduce(.sum, wide, Array(0..<x.type.rank))
    // A sum may be much smaller than what it adds up, and so than the roundings of that.
    network.builder.setOutputs(isTraining ? [loss] : [loss, wide])
    let wanted = Array(network.arguments.indices)
    graph =
      isTraining
      ? try Differentiate.gradient(of: network.builder.graph, loss: 0, inputs: wanted) : network.builder.graph
    arguments = network.arguments
  }
}

private struct Network {
  var random: SampleRandom
  let dtype: DType
  var builder = GraphBuilder()
  var arguments: [ReferenceTensor] = []

  init(random: SampleRandom, dtype: DType) {
    self.random = random
    self.dtype = dtype
  }

  mutating func pick<T>(_ choices: [T]) -> T { choices[Int(random.unit() * Double(choices.count))] }

  mutating func input(_ shape: [Int], scale: Double = 1, from low: Double = -0.5) -> Value {
    let type = TensorType(shape, dtype)
    arguments.append(
      ReferenceTensor(type, real: { _ in (random.unit() + low) * scale }, integer: { _ in 0 }))
    return builder.input("input\(arguments.count)", type)
  }

  mutating func layer(_ x: Value, isTraining: Bool) throws -> Value {
    let channels = x.type.shape[1]
    switch pick([0, 0, 0, 1, 2, 3, 4]) {
    case 1 where x.type.shape.dropFirst(2).allSatisfy({ $0 > 2 }):
      let window = PoolingWindow(size: [3, 2], strides: [2, 1], low: [1, 0], high: [0, 1])
      return pick([true, false])
        ? try builder.emit(MaxPool(window), x) : try builder.emit(AveragePool(window), x)
    case 2:
      let bias = input([channels])
      return try builder.emit(
        ReLU(), builder.add(x, builder.broadcast(bias, to: x.type.shape, dimensions: [1])))
    case 3: return try block(x, isTraining: isTraining)
    case 4:
      let mean = try builder.mean(x, [2, 3])
      return try builder.subtract(x, builder.broadcast(mean, to: x.type.shape, dimensions: [0, 1]))
    default:
      let groups = channels.isMultiple(of: 2) ? pick([1, 1, 2]) : 1
      let outputs = pick([1, 3, 15, 16, 17, 32, 48]) * groups
      let (kernel, stride, dilation) = (pick([1, 3]), pick([1, 1, 2]), pick([1, 1, 2]))
      return try convolution(x, outputs, kernel, stride: stride, dilation: dilation, groups: groups)
    }
  }

  private mutating func convolution(
    _ x: Value, _ outputs: Int, _ kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1
  ) throws -> Value {
    let inputs = x.type.shape[1] / groups
    let w = input(
      [outputs, inputs, kernel, kernel], scale: 2 / Double(inputs * kernel * kernel).squareRoot())
    let window = ConvolutionWindow(
      spatial: 2, stride: stride, padding: kernel / 2 * dilation, dilation: dilation, groups: groups)
    return try builder.emit(Convolution(window), x, w)
  }

  private mutating func norm(_ x: Value, isTraining: Bool) throws -> Value {
    let channels = [x.type.shape[1]]
    let (weight, bias) = (input(channels, from: 0.5), input(channels))
    if isTraining { return try builder.emit(BatchNorm(), operands: [x, weight, bias])[0] }
    let (mean, variance) = (input(channels), input(channels, from: 0.5))
    return try builder.emit(BatchNormInference(), x, weight, bias, mean, variance)
  }

  /// A residual block, whose short cut is sometimes a convolution.
  private mutating func block(_ x: Value, isTraining: Bool) throws -> Value {
    let (stride, outputs) = pick([true, false]) ? (1, x.type.shape[1]) : (2, pick([16, 17, 32]))
    var y = try convolution(x, outputs, 3, stride: stride)
    y = try builder.emit(ReLU(), norm(y, isTraining: isTraining))
    y = try norm(convolution(y, outputs, 3), isTraining: isTraining)
    let shortCut =
      stride == 1 ? x : try norm(convolution(x, outputs, 1, stride: stride), isTraining: isTraining)
    return try builder.emit(ReLU(), builder.add(y, shortCut))
  }
}
