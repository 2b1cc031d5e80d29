import Pando
import PandoPlanning
import Testing

@Suite struct PipelineOrderTests {
  static let orders: [PipelineOrder] = [
    PipelineOrder(stages: 2, microBatches: 8, schedule: .gpipe),
    PipelineOrder(stages: 4, microBatches: 6, schedule: .gpipe),
    PipelineOrder(stages: 2, microBatches: 8),
    PipelineOrder(stages: 4, microBatches: 6),
    PipelineOrder(stages: 2, chunks: 2, microBatches: 4),
    PipelineOrder(stages: 4, chunks: 3, microBatches: 8),
  ]

  /// The time of all events of a step is the work of a stage and the bubble of the formula.
  @Test(arguments: orders) func theBubbleIsThatOfTheFormula(_ order: PipelineOrder) {
    let simulation = PipelineSimulation(order, forward: { _, _ in 1 }, backward: { _, _ in 2 }, send: 0)
    let work = Double(3 * order.microBatches * order.chunks)
    let expected = Double(order.stages - 1) / Double(order.microBatches * order.chunks)
    #expect(abs(simulation.run() / work - 1 - expected) < 1e-12)
    #expect(order.bubble == expected)
  }

  @Test(arguments: orders) func everyPassIsDoneOnceAndForwardFirst(_ order: PipelineOrder) {
    for stage in 0..<order.stages {
      let passes = order.passes(of: stage)
      #expect(passes.count == 2 * order.microBatches * order.chunks)
      #expect(Set(passes).count == passes.count)
      for (place, pass) in passes.enumerated() where !pass.isForward {
        #expect(
          passes[..<place].contains {
            $0.isForward && $0.microBatch == pass.microBatch && $0.chunk == pass.chunk
          })
      }
    }
  }

  @Test func oneForwardOneBackwardKeepsAsManyAsThereAreStagesBehind() {
    let order = PipelineOrder(stages: 4, microBatches: 16)
    #expect((0..<4).map { order.underWay(stage: $0, chunk: 0) } == [4, 3, 2, 1])
    let all = PipelineOrder(stages: 4, microBatches: 16, schedule: .gpipe)
    #expect((0..<4).map { all.underWay(stage: $0, chunk: 0) } == [16, 16, 16, 16])
  }
}
