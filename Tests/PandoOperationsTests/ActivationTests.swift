import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values from PyTorch 2.15 in float64 (`torch.nn.functional`), and what happens at kinks and edges.
@Suite struct ActivationTests {
  private let x: [Double] = [-3, -1, -0.25, 0, 0.5, 2]

  @Test func activationsAreTorchs() throws {
    let expected: [(any PandoIR.Operation, [Double])] = [
      (GELU(), [-0.00404969409, -0.158655254, -0.100323419, 0, 0.345731231, 1.95449974]),
      (
        GELU(approximation: .tanh),
        [-0.00363739208, -0.158808009, -0.100324649, 0, 0.34571401, 1.95459769]
      ),
      (SiLU(), [-0.14227762, -0.268941421, -0.109455875, 0, 0.311229666, 1.76159416]),
      (Softplus(), [0.0485873516, 0.313261688, 0.57593942, 0.693147181, 0.974076984, 2.12692801]),
      (ELU(alpha: 1.5), [-1.4253194, -0.948180838, -0.331798825, 0, 0.5, 2]),
      (LeakyReLU(slope: 0.1), [-0.3, -0.1, -0.025, 0, 0.5, 2]),
      (ReLU(), [0, 0, 0, 0, 0.5, 2]),
      (Clip(minimum: -1, maximum: 0.5), [-1, -1, -0.25, 0, 0.5, 0.5]),
    ]
    for (operation, values) in expected {
      #expect(agree(try evaluated(operation, ([6], x))[0], values), "\(operation)")
    }
  }

  @Test func softmaxesAreTorchs() throws {
    let x = ([2, 3], [1.0, 2, 4, -1, 0, 3])
    #expect(
      agree(
        try evaluated(Softmax(dimension: 1), x)[0],
        [0.0420100661, 0.114195199, 0.843794734, 0.0171478255, 0.0466126226, 0.936239552]))
    #expect(
      agree(
        try evaluated(Softmax(dimension: 0), x)[0],
        [0.880797078, 0.880797078, 0.731058579, 0.119202922, 0.119202922, 0.268941421]))
    #expect(
      agree(
        try evaluated(LogSoftmax(dimension: 1), x)[0],
        [-3.16984602, -2.16984602, -0.16984602, -4.0658839, -3.0658839, -0.0658839038]))
  }

  @Test func softmaxNeitherOverflowsNorHidesNaN() throws {
    let x = ([3, 2], [1e300, 1e300, -.infinity, 2, .nan, 1])
    #expect(agree(try evaluated(Softmax(dimension: 1), x)[0], [0.5, 0.5, 0, 1, .nan, .nan]))
    #expect(agree(try evaluated(LogSoftmax(dimension: 1), ([1, 2], [800.0, 0]))[0], [0, -800]))
  }

  @Test func gradientsAtKinks() throws {
    #expect(try slope(ReLU(), at: [-1, 0, 2, .nan]) == [0, 0, 1, 1])
    #expect(try slope(LeakyReLU(slope: 0.25), at: [-1, 0, 2]) == [0.25, 0.25, 1])
    #expect(try slope(ELU(alpha: 2), at: [0, 2, 1e4]) == [2, 1, 1])
    #expect(try slope(Clip(minimum: -1, maximum: 2), at: [-1.5, -1, 0, 2, 2.5]) == [0, 1, 1, 1, 0])
    #expect(agree(try slope(Softplus(), at: [-800, 0, 800]), [0, 0.5, 1]))
  }

  @Test func errorsSayWhatToDo() {
    #expect(message(ReLU(), TensorType([2], .int32)).contains("floating point, got int32[2]"))
    #expect(
      message(Softmax(dimension: 2), TensorType([2, 3])).contains("dimension 2 is none of float32[2,3]"))
    #expect(
      message(Softmax(dimension: 1), TensorType([2, 0])).contains("dimension 1 of float32[2,0] is empty"))
    #expect(message(Clip(minimum: 2, maximum: 1), TensorType([2])).contains("minimum 2.0 is above"))
    #expect(
      message(SoftmaxGradient(dimension: 0), TensorType([2]), TensorType([3])).contains(
        "the cotangent must be float32[2], got float32[3]"))
  }

  /// The gradient of the sum of the results.
  private func slope(_ operation: any PandoIR.Operation, at x: [Double]) throws -> [Double] {
    let type = TensorType([x.count], .float64)
    var builder = GraphBuilder()
    let input = builder.input("x", type)
    let results = try builder.emit(operation, operands: [input])
    let ones = try builder.constant(1, type)
    let dx = try operation.pullback([ones], operands: [input], results: results, in: &builder)
    builder.setOutputs(dx.compactMap { $0 })
    return try ReferenceEngine.evaluate(builder.graph, [ReferenceTensor(type, reals: x)])[0].doubles
  }
}

/// What an operation says against these operands.
func message(_ operation: any PandoIR.Operation, _ operands: TensorType...) -> String {
  do throws(TypeError) {
    _ = try operation.resultTypes(operands)
    return "no error"
  } catch { return error.description }
}
