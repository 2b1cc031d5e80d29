/// The events of one step in a pipeline: what each stage does in order, and when it can.
///
/// Every stage goes through its own list of forward and backward passes, and starts the next as
/// soon as it is free and what the pass reads has arrived.
package struct PipelineSimulation {
  let order: PipelineOrder
  /// Seconds of a pass, by stage and chunk.
  let forward: (_ stage: Int, _ chunk: Int) -> Double
  let backward: (_ stage: Int, _ chunk: Int) -> Double
  /// Seconds from one stage to the next.
  let send: Double

  package init(
    _ order: PipelineOrder, forward: @escaping (Int, Int) -> Double,
    backward: @escaping (Int, Int) -> Double, send: Double
  ) {
    self.order = order
    self.forward = forward
    self.backward = backward
    self.send = send
  }

  /// Seconds from the first event to the last.
  package func run() -> Double {
    let (stages, chunks, microBatches) = (order.stages, order.chunks, order.microBatches)
    let orders = (0..<stages).map(order.passes)
    let count = microBatches * chunks * stages
    // When each pass is over, by place in the network and micro-batch; negative while it is not.
    var forwardEnd = [Double](repeating: -1, count: count)
    var backwardEnd = forwardEnd
    func place(_ stage: Int, _ chunk: Int, _ microBatch: Int) -> Int {
      (chunk * stages + stage) * microBatches + microBatch
    }
    var next = [Int](repeating: 0, count: stages)
    var free = [Double](repeating: 0, count: stages)
    let layers = chunks * stages
    var waiting = Array(0..<stages)
    while let stage = waiting.popLast() {
      while next[stage] < orders[stage].count {
        let pass = orders[stage][next[stage]]
        let own = pass.chunk * stages + stage
        var ready = 0.0
        // A gradient waits for its own forward pass and for the gradient behind it.
        let before = pass.isForward ? own - 1 : own + 1
        if before >= 0 && before < layers {
          let end = (pass.isForward ? forwardEnd : backwardEnd)[before * microBatches + pass.microBatch]
          guard end >= 0 else { break }
          ready = end + (stages > 1 ? send : 0)
        }
        let start = max(free[stage], ready)
        // A send keeps the sender too: neither side computes meanwhile.
        let hands = stages > 1 && (pass.isForward ? own < layers - 1 : own > 0) ? send : 0
        let end = start + (pass.isForward ? forward : backward)(stage, pass.chunk)
        let index = place(stage, pass.chunk, pass.microBatch)
        if pass.isForward { forwardEnd[index] = end } else { backwardEnd[index] = end }
        free[stage] = end + hands
        next[stage] += 1
        let after = pass.isForward ? (stage + 1) % stages : (stage + stages - 1) % stages
        if after != stage && !waiting.contains(after) { waiting.append(after) }
      }
    }
    precondition(zip(next, orders).allSatisfy { $0 == $1.count }, "the schedule waits for itself")
    return max(forwardEnd.max() ?? 0, backwardEnd.max() ?? 0)
  }
}
