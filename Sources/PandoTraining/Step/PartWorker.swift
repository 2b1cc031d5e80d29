import Pando
import PandoNN

/// Computes and adds up the gradients of neighbouring parts of a reproducible step, on one thread.
final class PartWorker {
  /// The parts of each step that it does.
  let parts: Range<Int>
  private let tree: ReductionTree
  let program: Program
  private let fixed: [HostBuffer]
  private let key: HostBuffer
  private let adder: VectorAdder
  /// Vectors of sums, and the tensors in each.
  private let vectors: [HostBuffer]
  private let views: [[HostBuffer]]

  init(
    _ tree: ReductionTree, _ parts: Range<Int>, pass: StepTensors, layout: FlatLayout, state: TrainingState,
    device: Device, recompute: Recomputation
  ) throws {
    self.tree = tree
    self.parts = parts
    let statistics = pass.oldStatistics(state)
    program = try Program(
      pass.gradients + pass.totals + pass.newStatistics,
      inputs: pass.trained + statistics + [pass.key, pass.x, pass.y], on: device,
      recompute: recompute, offload: state.offload([], hasGradients: true))
    key = HostBuffer(pass.key.type)
    fixed = state.buffers(of: pass.trained + statistics) + [key]
    adder = try VectorAdder(count: layout.count, on: device)
    vectors = (0..<tree.depth(of: parts)).map { _ in HostBuffer(TensorType([layout.count])) }
    views = vectors.map { layout.views(of: $0) }
  }

  var programs: [Program] { [program, adder.program] }
  var memory: MemoryReport { program.memory }
  var sumBytes: Int { vectors.reduce(0) { $0 + $1.type.byteCount } }
  /// Operations of one part.
  var flops: Int { program.cost.flops }

  /// The sums that the worker's parts add up to on their own, from left to right; valid until the next call.
  func run(
    _ feed: BatchFeed, seed: UInt64, firstPart: Int, telling timing: ((Program, OperationTime) -> Void)?
  ) throws -> [(node: ReductionTree.Node, value: HostBuffer)] {
    var free = Array(vectors.indices.reversed())
    var gathering = ReductionTree.Gathering<Int>(tree)
    for part in parts {
      guard let slot = free.popLast() else { preconditionFailure("the tree is deeper than was planned") }
      StepInputs.set(key, seed: seed, part: firstPart + part)
      let (x, y) = try feed.next()
      program.bind(fixed + [x, y], into: views[slot])
      try program.run(telling: timing)
      try gathering.push(.leaf(part), slot) { left, right in
        try adder.add(vectors[right], to: vectors[left], telling: timing)
        free.append(right)
        return left
      }
    }
    return gathering.waiting.map { ($0.node, vectors[$0.value]) }
  }
}
