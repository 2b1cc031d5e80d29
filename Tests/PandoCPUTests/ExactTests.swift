import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// `exact` leaves Winograd's method alone: for whole numbers that float32 holds, a direct convolution has no error at
/// all, while Winograd's fractions do.
@Suite struct ExactTests {
  private static let window = ConvolutionWindow(spatial: 2, stride: 1, padding: 1, dilation: 1, groups: 1)

  private func errorOfConvolution(exact: Bool) throws -> Double {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2, 64, 32, 32]))
    let w = builder.input("w", TensorType([64, 64, 3, 3]))
    builder.setOutputs([try builder.emit(Convolution(Self.window), x, w)])
    let executable = try CPUEngine().compile(builder.graph, options: CompileOptions(threads: 2, exact: exact))
    let arguments = [x.type, w.type].map { type in
      HostBuffer(type, (0..<type.count).map { Float(($0 * 7919) % 7) - 3 })
    }
    let result = HostBuffer(executable.outputTypes[0])
    try executable.run(arguments, into: [result])
    return result.elements(as: Float.self).reduce(0) { Swift.max($0, Double(abs($1 - $1.rounded()))) }
  }

  @Test func exactProgramsConvolveDirectly() throws { #expect(try errorOfConvolution(exact: true) == 0) }

  /// Sums of 576 products of up to 9: Winograd's method stays within float32's rounding.
  @Test func otherProgramsStayWithinRounding() throws { #expect(try errorOfConvolution(exact: false) < 0.01) }

  /// Where there are vectors of 512 bits Winograd's method is there too, whatever the library's version.
  @Test(.enabled(if: InstructionSet.name == "avx512")) func otherProgramsUseWinograd() throws {
    #expect(try errorOfConvolution(exact: false) > 0)
  }

  /// A convolution and both its gradients, for more numbers than the reference engine would bear.
  @Test(arguments: [[64, 64, 9, 12], [128, 64, 8, 8], [64, 160, 7, 9], [192, 192, 4, 4]])
  func productsAgreeWithDirectOnes(_ sizes: [Int]) throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([70, sizes[0], sizes[2], sizes[3]]))
    let w = builder.input("w", TensorType([sizes[1], sizes[0], 3, 3]))
    let weights = builder.input("weights", TensorType([70, sizes[1], sizes[2], sizes[3]]))
    let y = try builder.emit(Convolution(Self.window), x, w)
    builder.setOutputs([try builder.reduce(.sum, builder.multiply(y, weights), [0, 1, 2, 3])])
    let gradient = try Differentiate.gradient(of: builder.graph, loss: 0, inputs: [0, 1])
    var random = SampleRandom(seed: 9)
    let arguments = [x.type, w.type, weights.type].map { type in
      HostBuffer(type, (0..<type.count).map { _ in Float(random.unit() - 0.5) })
    }
    func results(exact: Bool) throws -> [[Float]] {
      let executable = try CPUEngine().compile(
        gradient, options: CompileOptions(threads: 2, verify: true, exact: exact))
      let results = executable.outputTypes.map { HostBuffer($0) }
      try executable.run(arguments, into: results)
      return results.map { $0.elements(as: Float.self) }
    }
    // The loss itself is a sum in which nearly everything cancels.
    for (made, wanted) in zip(try results(exact: false), try results(exact: true)) where wanted.count > 1 {
      let largest = wanted.reduce(0) { Swift.max($0, abs($1)) }
      let error = zip(made, wanted).reduce(0) { Swift.max($0, abs($1.0 - $1.1)) }
      #expect(error <= 1e-5 * largest)
    }
  }
}
