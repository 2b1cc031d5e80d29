import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import Testing

/// `exact` leaves Winograd's method alone: for whole numbers that float32 holds, a direct convolution has no error at
/// all, while Winograd's fractions do.
@Suite struct ExactTests {
  private func errorOfConvolution(exact: Bool) throws -> Double {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2, 64, 32, 32]))
    let w = builder.input("w", TensorType([64, 64, 3, 3]))
    let window = ConvolutionWindow(spatial: 2, stride: 1, padding: 1, dilation: 1, groups: 1)
    builder.setOutputs([try builder.emit(Convolution(window), x, w)])
    let executable = try CPUEngine().compile(builder.graph, options: CompileOptions(threads: 2, exact: exact))
    let arguments = [x.type, w.type].map { type in
      HostBuffer(type, (0..<type.count).map { Float(($0 * 7919) % 7) - 3 })
    }
    let result = HostBuffer(executable.outputTypes[0])
    try executable.run(arguments, into: [result])
    return result.elements(as: Float.self).reduce(0) { Swift.max($0, Double(abs($1 - $1.rounded()))) }
  }

  @Test func exactProgramsConvolveDirectly() throws { #expect(try errorOfConvolution(exact: true) == 0) }

  /// Sums of 576 products of up to 9: Winograd's method, where the library has it, stays within float32's rounding.
  @Test func otherProgramsStayWithinRounding() throws { #expect(try errorOfConvolution(exact: false) < 0.01) }
}
