import PandoEngine
import PandoIR
import PandoOperations

/// Judges a gradient by finite differences in float64.
public enum GradientCheck {
  /// Compares the gradient of a random weighting of a sample's results along a random direction with a central
  /// difference (error of order h⁴ by Richardson's extrapolation), everything in float64.
  ///
  /// - Returns: what differs by more than 1e-6, or `nil`.
  public static func difference(_ sample: OperationSample) throws -> String? {
    let operands = sample.makeOperands(floating: .float64)
    return try difference(sample.operation, operands)
  }

  /// The same for given operands; second derivatives too where `order` is 2.
  public static func difference(
    _ operation: any Operation, _ operands: [ReferenceTensor], order: Int = 1
  ) throws -> String? {
    var builder = GraphBuilder()
    let inputs = operands.enumerated().map { builder.input("operand\($0.offset)", $0.element.type) }
    builder.setOutputs(try builder.emit(operation, operands: inputs))
    return try difference(builder.graph, operands)
  }

  /// The same for a graph.
  public static func difference(_ graph: Graph, _ arguments: [ReferenceTensor]) throws -> String? {
    var random = SampleRandom(seed: 7)
    let wanted = arguments.indices.filter { arguments[$0].type.dtype.isFloatingPoint }
    let weights = graph.outputs.map { output in
      output.type.dtype.isFloatingPoint
        ? ReferenceTensor(
          output.type.with(dtype: .float64), real: { _ in random.unit() * 2 - 1 }, integer: { _ in 0 })
        : nil
    }
    let directions = wanted.map { arguments[$0].type.count }.map { count in
      (0..<count).map { _ in random.unit() * 2 - 1 }
    }

    func moved(_ step: Double) throws -> Double {
      var shifted = arguments
      for (direction, place) in zip(directions, wanted) {
        shifted[place] = ReferenceTensor(
          arguments[place].type, reals: zip(arguments[place].reals, direction).map { $0 + step * $1 })
      }
      let outputs = try ReferenceEngine.evaluate(graph, shifted)
      return zip(outputs, weights).reduce(0) { total, pair in
        guard let weight = pair.1 else { return total }
        return total + zip(pair.0.reals, weight.reals).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    let h = 1e-3
    let wide = (try moved(h) - moved(-h)) / (2 * h)
    let narrow = (try moved(h / 2) - moved(-h / 2)) / h
    let numeric = (4 * narrow - wide) / 3

    var builder = GraphBuilder()
    let inputs = graph.inputs.map { builder.input($0.name, $0.value.type) }
    let cotangents = weights.enumerated().map { place, weight in
      weight.map { builder.input("cotangent\(place)", $0.type) }
    }
    let gradients = try builder.reverse(graph, arguments: inputs, cotangents: cotangents, wanted: wanted)
      .gradients
    builder.setOutputs(gradients.compactMap { $0 })
    try builder.graph.verify()
    let outputs = try ReferenceEngine.evaluate(builder.graph, arguments + weights.compactMap { $0 })
    var analytic = 0.0
    var next = 0
    for (direction, gradient) in zip(directions, gradients) where gradient != nil {
      analytic += zip(outputs[next].reals, direction).reduce(0) { $0 + $1.0 * $1.1 }
      next += 1
    }
    let scale = max(1, abs(numeric))
    return abs(analytic - numeric) <= 1e-6 * scale
      ? nil : "the gradient along a direction is \(analytic), finite differences give \(numeric)"
  }
}
