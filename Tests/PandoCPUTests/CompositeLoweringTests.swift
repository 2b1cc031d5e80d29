import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Composites that the CPU engine does at once.
@Suite struct CompositeLoweringTests {
  private static let composites = Samples.all.filter { $0.operation is any CompositeOperation }

  /// Operands that nobody else reads may be written over: here each comes from a product made just before.
  @Test(arguments: composites) func writingOverOperandsKeepsTheNumbers(_ sample: OperationSample) throws {
    let arguments = sample.makeOperands()
    var builder = GraphBuilder()
    var operands: [Value] = []
    for (index, argument) in arguments.enumerated() {
      let input = builder.input("operand\(index)", argument.type)
      let isScaled = argument.type.dtype.isFloatingPoint
      operands.append(isScaled ? try builder.scale(input, 1.25) : input)
    }
    builder.setOutputs(try builder.emit(sample.operation, operands: operands))
    #expect(try EngineCheck.difference(builder.graph, arguments, CPUEngine(), tolerance: 1e-5) == nil)
  }

  @Test(arguments: [
    OperationSample(Softmax(dimension: 1), .uniform([3, 5])),
    OperationSample(LogSoftmax(dimension: 1), .uniform([3, 5, 1])),
    OperationSample(LayerNorm(), .uniform([3, 5]), .uniform([5]), .uniform([5])),
    OperationSample(RMSNorm(), .uniform([3, 5], -2...2, .bfloat16), .uniform([5])),
    OperationSample(BatchNorm(), .uniform([3, 5]), .uniform([5]), .uniform([5])),
    OperationSample(
      Attention(causal: true), .uniform([1, 2, 3, 4]), .uniform([1, 1, 3, 4]), .uniform([1, 1, 3, 4])),
    OperationSample(CrossEntropy(), .uniform([3, 5]), .uniform([3], 0...4, .int64)),
  ])
  func oneKernelDoesTheWhole(_ sample: OperationSample) throws {
    #expect(try namesOfWhatRuns(sample) == [type(of: sample.operation).name])
  }

  /// A dimension that does not end the tensor, or a type without a kernel: the decomposition takes its place.
  @Test(arguments: [
    OperationSample(Softmax(dimension: 0), .uniform([3, 5])),
    OperationSample(Softmax(dimension: 1), .uniform([3, 5], -2...2, .float64)),
  ])
  func theRestIsDecomposed(_ sample: OperationSample) throws {
    #expect(try !namesOfWhatRuns(sample).contains("softmax"))
  }

  private func namesOfWhatRuns(_ sample: OperationSample) throws -> [String] {
    let arguments = sample.makeOperands()
    var builder = GraphBuilder()
    let inputs = arguments.enumerated().map { builder.input("operand\($0.offset)", $0.element.type) }
    builder.setOutputs(try builder.emit(sample.operation, operands: inputs))
    let executable = try CPUEngine().compile(builder.graph, options: CompileOptions())
    let buffers = arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    var names: [String] = []
    try executable.trace(buffers) { node, _ in names.append(type(of: node.operation).name) }
    return names
  }
}
