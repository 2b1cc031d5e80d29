import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// The CPU engine does what the reference engine does, for every sample of every operation.
@Suite struct ConformanceTests {
  @Test(arguments: Samples.all) func agreesWithTheReference(_ sample: OperationSample) throws {
    #expect(try EngineCheck.difference(sample, CPUEngine()) == nil)
  }

  /// The gradient's graph too: it is what training runs.
  @Test(arguments: Samples.all) func gradientAgreesWithTheReference(_ sample: OperationSample) throws {
    guard sample.checksGradient, let (graph, arguments) = try EngineCheck.gradientGraph(sample) else {
      return
    }
    #expect(
      try EngineCheck.difference(graph, arguments, CPUEngine(), tolerance: sample.tolerance ?? 1e-5) == nil)
  }
}
