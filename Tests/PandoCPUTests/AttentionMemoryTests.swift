import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import Testing

/// A long context fits in memory: nothing as large as queries times keys is ever stored.
@Suite struct AttentionMemoryTests {
  /// The bytes of everything that a forward and backward pass over `length` tokens keeps.
  private func plannedBytes(_ length: Int) throws -> Int {
    let type = TensorType([1, 2, length, 16])
    var forward = GraphBuilder()
    let operands = ["q", "k", "v"].map { forward.input($0, type) }
    forward.setOutputs([try forward.emit(Attention(causal: true), operands: operands)[0]])

    var builder = GraphBuilder()
    let arguments = ["q", "k", "v"].map { builder.input($0, type) }
    let (outputs, gradients) = try builder.reverse(
      forward.graph, arguments: arguments, cotangents: [builder.input("dout", type)], wanted: [0, 1, 2])
    builder.setOutputs(outputs + gradients.compactMap { $0 })
    let graph = builder.graph
    let memory = try CPUEngine().compile(graph, options: CompileOptions(threads: 2)).memory
    return memory.arenaBytes + memory.argumentBytes + memory.resultBytes
  }

  @Test func memoryGrowsWithTheLengthAndNotItsSquare() throws {
    let (short, long) = (try plannedBytes(2048), try plannedBytes(4096))
    #expect(Double(long) < 2.05 * Double(short), "\(short) and \(long) bytes")
    #expect(long < 4096 * 4096, "\(long) bytes")
  }
}
