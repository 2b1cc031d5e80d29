import PandoIR
import PandoOperations

/// One exchange, or cut, on the way from one sharding of a value to another.
enum ReshardStep: Hashable {
  /// Every rank keeps a part of what all of its group have.
  case slice(dimension: Int, axes: [String])
  /// Terms are added up, and each rank keeps a part.
  case reduceScatter(dimension: Int, axes: [String])
  /// Terms are added up.
  case allReduce(axes: [String])
  /// Parts are joined.
  case allGather(dimension: Int, axes: [String])
  /// Cuts move from one dimension to another.
  case allToAll(cut: Int, joined: Int, axes: [String])
}

/// The way from one sharding to another: what makes data smaller comes first, what makes them larger last, and nothing
/// is gathered that is cut again.
struct ReshardPlan {
  /// The steps, each with the sharding that it leads to.
  private(set) var steps: [(step: ReshardStep, result: Sharding)] = []
  private let mesh: Mesh
  private let target: Sharding

  /// - Returns: `nil` where the target keeps terms that the source has not.
  init?(from source: Sharding, to target: Sharding, on mesh: Mesh) {
    guard target.partial.allSatisfy(source.partial.contains) else { return nil }
    self.mesh = mesh
    self.target = target
    var current = source
    cut(&current)
    let rest = current.partial.filter { !target.partial.contains($0) }
    if !rest.isEmpty {
      current = Sharding(current.dimensions, partial: target.partial, reduction: current.reduction)
      steps.append((.allReduce(axes: ordered(rest)), current))
    }
    move(&current)
    for dimension in current.dimensions.indices {
      let (have, want) = (current.dimensions[dimension], target.dimensions[dimension])
      let common = zip(have, want).prefix { $0 == $1 }.count
      guard have.count > common else { continue }
      current.dimensions[dimension] = Array(have[..<common])
      steps.append((.allGather(dimension: dimension, axes: Array(have[common...])), current))
    }
    cut(&current)
    precondition(
      current.dimensions == target.dimensions && Set(current.partial) == Set(target.partial),
      "\(source) does not become \(target)")
  }

  private func ordered(_ axes: [String]) -> [String] { mesh.axes.map(\.name).filter(axes.contains) }

  /// Cuts dimensions further where the target does: terms are added up on the way, copies are dropped.
  private mutating func cut(_ current: inout Sharding) {
    for dimension in current.dimensions.indices {
      let want = target.dimensions[dimension]
      while want.count > current.dimensions[dimension].count, want.starts(with: current.dimensions[dimension])
      {
        let next = want[current.dimensions[dimension].count...]
        let used = current.axes
        let terms = Array(next.prefix { current.partial.contains($0) && !target.partial.contains($0) })
        if !terms.isEmpty {
          current = Sharding(
            current.dimensions, partial: current.partial.filter { !terms.contains($0) },
            reduction: current.reduction)
          current.dimensions[dimension] += terms
          steps.append((.reduceScatter(dimension: dimension, axes: terms), current))
          continue
        }
        let copies = Array(next.prefix { !used.contains($0) && !current.partial.contains($0) })
        guard !copies.isEmpty else { break }
        current.dimensions[dimension] += copies
        steps.append((.slice(dimension: dimension, axes: copies), current))
      }
    }
  }

  /// An axis that cuts another dimension in the target moves there by one exchange.
  private mutating func move(_ current: inout Sharding) {
    var moved = true
    while moved {
      moved = false
      for from in current.dimensions.indices {
        let (have, want) = (current.dimensions[from], target.dimensions[from])
        guard let axis = have.last, !want.starts(with: have) else { continue }
        let to = target.dimensions.indices.first { other in
          let cuts = current.dimensions[other]
          return other != from && target.dimensions[other].count > cuts.count
            && target.dimensions[other].starts(with: cuts + [axis])
        }
        guard let to else { continue }
        current.dimensions[from].removeLast()
        current.dimensions[to].append(axis)
        steps.append((.allToAll(cut: to, joined: from, axes: [axis]), current))
        moved = true
      }
    }
  }

  /// Bytes that a rank sends on the way, for a tensor of `type` that begins as `source`.
  func sentBytes(_ type: TensorType, from source: Sharding) -> Int {
    var (sum, before) = (0, source)
    for (step, after) in steps {
      let bytes = type.byteCount / max(1, mesh.parts(before.axes))
      switch step {
      case .slice: break
      case .reduceScatter(_, let axes), .allToAll(_, _, let axes):
        sum += bytes * (mesh.parts(axes) - 1) / mesh.parts(axes)
      case .allReduce(let axes): sum += 2 * bytes * (mesh.parts(axes) - 1) / mesh.parts(axes)
      case .allGather(_, let axes): sum += bytes * (mesh.parts(axes) - 1)
      }
      before = after
    }
    return sum
  }
}

extension ReshardStep {
  /// The operation that does the step.
  func operation(
    _ mesh: Mesh, _ reduction: ShardingRule.Reduction, label: String, occurrence: Int
  ) -> any PandoIR.Operation {
    switch self {
    case .slice(let dimension, let axes): ShardSlice(dimension, axes: axes, parts: mesh.parts(axes))
    case .reduceScatter(let dimension, let axes):
      ReduceScatter(dimension, reduction, axes: axes, parts: mesh.parts(axes), label: label)
    case .allReduce(let axes): AllReduce(reduction, axes: axes, parts: mesh.parts(axes), label: label)
    case .allGather(let dimension, let axes):
      AllGather(dimension, axes: axes, parts: mesh.parts(axes), label: label, occurrence: occurrence)
    case .allToAll(let cut, let joined, let axes):
      AllToAll(cut: cut, joined: joined, axes: axes, parts: mesh.parts(axes), label: label)
    }
  }
}
