import PandoEngine
import PandoIR
import PandoOperations

extension GradientCheck {
  /// Judges the gradient of a sample's gradient, by all operands and by the cotangents of all floating-point results, by
  /// finite differences in float64.
  ///
  /// - Returns: what differs, or `nil`; `nil` too where there is no gradient.
  public static func secondDifference(_ sample: OperationSample) throws -> String? {
    let operands = sample.makeOperands(floating: .float64)
    let types = operands.map(\.type)
    var forward = GraphBuilder()
    let inputs = types.enumerated().map { forward.input("operand\($0.offset)", $0.element) }
    let results = try forward.emit(sample.operation, operands: inputs)
    forward.setOutputs(results)

    var random = SampleRandom(seed: 11)
    var builder = GraphBuilder()
    let arguments = types.enumerated().map { builder.input("operand\($0.offset)", $0.element) }
    var weights: [ReferenceTensor] = []
    var cotangents: [Value?] = []
    for (place, result) in results.enumerated() {
      guard result.type.dtype.isFloatingPoint else {
        cotangents.append(nil)
        continue
      }
      cotangents.append(builder.input("weight\(place)", result.type))
      weights.append(
        ReferenceTensor(result.type, reals: (0..<result.type.count).map { _ in random.unit() * 2 - 1 }))
    }
    let gradients = try builder.reverse(
      forward.graph, arguments: arguments, cotangents: cotangents, wanted: Array(types.indices)
    ).gradients
    builder.setOutputs(gradients.compactMap { $0 })
    return try difference(builder.graph, operands + weights)
  }
}
