import PandoEngine
import PandoIR
import PandoOperations

/// Graphs drawn at random, for properties that hold of every graph. The same seed draws the same graph.
public struct RandomGraph: Sendable {
  /// The graph.
  public let graph: Graph
  /// Numbers for its inputs.
  public let arguments: [ReferenceTensor]

  /// Draws a graph.
  ///
  /// Values stay moderate: functions that grow are followed by one that bounds.
  /// - Parameters:
  ///   - nodes: about how many operations it has.
  ///   - dtype: of its floating-point values.
  public init(seed: UInt64, nodes: Int = 40, dtype: DType = .float32) {
    var draw = Draw(seed: seed, dtype: dtype)
    for number in 0..<4 { draw.addInput("input\(number)") }
    do {
      while draw.builder.graph.nodes.count < nodes { try draw.addNode() }
    } catch { preconditionFailure("a random graph is ill-typed: \(error)") }
    graph = draw.finish()
    arguments = draw.arguments
  }
}

private struct Draw {
  var builder = GraphBuilder()
  var arguments: [ReferenceTensor] = []
  private var random: SampleRandom
  private let dtype: DType
  private var values: [Value] = []
  private let shapes = [[6, 10], [6, 10], [10], [6], [2, 3, 10]]

  init(seed: UInt64, dtype: DType) {
    random = SampleRandom(seed: seed)
    self.dtype = dtype
  }

  private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  mutating func addInput(_ name: String) {
    let type = TensorType(shapes[below(shapes.count)], dtype)
    values.append(builder.input(name, type))
    arguments.append(ReferenceTensor(type, reals: (0..<type.count).map { _ in random.unit() * 2 - 1 }))
  }

  /// Values made lately are more likely, so that graphs are deep; old ones come back now and then.
  private mutating func pick() -> Value {
    let back = min(values.count, below(4) == 0 ? values.count : 5)
    return values[values.count - 1 - below(back)]
  }

  private mutating func pick(like other: Value) -> Value {
    let same = values.filter { $0.type == other.type }
    return same[below(same.count)]
  }

  mutating func addNode() throws(TypeError) {
    let x = pick()
    switch below(12) {
    case 0, 1, 2:
      let bounded: [Unary.Function] = [
        .hyperbolicTangent, .logistic, .sine, .cosine, .errorFunction, .negate, .absolute,
      ]
      values.append(try builder.unary(bounded[below(bounded.count)], x))
    case 3, 4, 5:
      let functions: [Binary.Function] = [.add, .subtract, .maximum, .minimum, .multiply]
      let made = try builder.binary(functions[below(functions.count)], x, pick(like: x))
      values.append(try builder.unary(.hyperbolicTangent, made))
    case 6:
      let condition = try builder.compare(.less, x, pick(like: x))
      values.append(try builder.select(condition, pick(like: x), builder.constant(0.25, like: x)))
    case 7 where x.type.rank > 1:
      let dimension = below(x.type.rank)
      let reduced = try builder.mean(x, [dimension])
      values.append(reduced)
      values.append(
        try builder.subtract(x, builder.broadcast(reduced, to: x.type.shape, restoring: [dimension])))
    case 8 where x.type.shape == [6, 10]:
      values.append(try builder.reshape(x, [2, 3, 10]))
    case 8 where x.type.shape == [2, 3, 10]:
      values.append(try builder.reshape(x, [6, 10]))
    case 9 where x.type.shape == [10] || x.type.shape == [6]:
      values.append(try builder.broadcast(x, to: [6, 10], dimensions: [x.type.shape == [10] ? 1 : 0]))
    case 10 where x.type.shape == [6, 10]:
      let gram = try builder.contract("ik,jk->ij", x, pick(like: x))
      values.append(try builder.unary(.hyperbolicTangent, builder.contract("ij,jk->ik", gram, x)))
    case 11 where x.type.rank == 2:
      let back = try builder.transpose(builder.unary(.sine, builder.transpose(x, [1, 0])), [1, 0])
      values.append(back)
    default:
      values.append(try builder.unary(.logistic, x))
    }
  }

  mutating func finish() -> Graph {
    builder.setOutputs([values.last!, values[values.count / 2], pick(), pick()])
    return builder.graph
  }
}
