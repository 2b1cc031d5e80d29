import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values from PyTorch 2.15 in float64 (`torch.nn.functional.cross_entropy` without reduction, and its gradient).
@Suite struct LossTests {
  private let logits = ReferenceTensor(
    TensorType([3, 3], .float64), reals: [1, 2, 4, -1, 0, 3, 0.5, 0.5, -2])

  @Test func crossEntropyIsTorchs() throws {
    try check(
      CrossEntropy(), losses: [0.16984602, 4.0658839, 0.733369795],
      gradient: [
        0.0420100661, 0.114195199, -0.156205266, -0.982852174, 0.0466126226, 0.936239552, 0.480287789,
        -0.519712211, 0.0394244225,
      ])
    try check(
      CrossEntropy(labelSmoothing: 0.2), losses: [0.503179353, 3.73255057, 0.900036461],
      gradient: [
        -0.0246566005, 0.0475285327, -0.0228719322, -0.849518841, -0.0200540441, 0.869572885, 0.413621122,
        -0.386378878, -0.0272422442,
      ])
    try check(
      CrossEntropy(ignoredLabel: 0), losses: [0.16984602, 0.0, 0.733369795],
      gradient: [
        0.0420100661, 0.114195199, -0.156205266, 0, 0, 0, 0.480287789, -0.519712211, 0.0394244225,
      ])
    try check(
      CrossEntropy(labelSmoothing: 0.2, ignoredLabel: 0), losses: [0.503179353, 0.0, 0.900036461],
      gradient: [
        -0.0246566005, 0.0475285327, -0.0228719322, 0, 0, 0, 0.413621122, -0.386378878, -0.0272422442,
      ])
  }

  @Test func labelsOutsideTheClassesGiveNaN() throws {
    let results = try run(CrossEntropy(ignoredLabel: -100), labels: [-1, 3, -100])
    #expect(results[0][0].isNaN && results[0][1].isNaN && results[0][2] == 0)
    #expect(results[2][..<6].allSatisfy { $0.isNaN })
    #expect(results[2][6...].allSatisfy { $0 == 0 })
  }

  @Test func errorsSayWhatToDo() {
    let (x, y) = (TensorType([2, 3]), TensorType([2], .int32))
    #expect(message(CrossEntropy(), TensorType([3]), y).contains("the logits must be [..., C]"))
    #expect(message(CrossEntropy(), x, TensorType([3], .int32)).contains("int32[2] or int64[2]"))
    #expect(message(CrossEntropy(), x, TensorType([2])).contains("got float32[2]"))
    #expect(message(CrossEntropy(labelSmoothing: 2), x, y).contains("from 0 to 1, got 2.0"))
  }

  private func check(_ operation: CrossEntropy, losses: [Double], gradient: [Double]) throws {
    let results = try run(operation, labels: [2, 0, 1])
    #expect(agree(results[0], losses) && agree(results[2], gradient), "\(operation)")
  }

  /// Losses, logarithms and the gradient of the losses' sum.
  private func run(_ operation: CrossEntropy, labels: [Int64]) throws -> [[Double]] {
    var builder = GraphBuilder()
    let inputs = [
      builder.input("logits", logits.type), builder.input("labels", TensorType([3], .int32)),
    ]
    let results = try builder.emit(operation, operands: inputs)
    let cotangents = [try builder.constant(1, results[0].type), try builder.constant(0, results[1].type)]
    let gradients = try operation.pullback(
      cotangents, operands: inputs, results: results, in: &builder)
    builder.setOutputs(results + gradients.compactMap { $0 })
    return try ReferenceEngine.evaluate(
      builder.graph, [logits, ReferenceTensor(inputs[1].type, integers: labels)]
    ).map(\.doubles)
  }
}
