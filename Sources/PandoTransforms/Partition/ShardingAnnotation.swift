import PandoIR
import PandoOperations

/// An operation that only says how its operand is spread.
package protocol ShardingAnnotation: Operation {
  /// From which rank of wishes on it is followed.
  var priority: Placement.Priority { get }

  /// How the value is spread; `nil` where the partitioning leaves it free.
  func sharding(in partitioning: Partitioning) -> Sharding?
}

extension Shard: ShardingAnnotation {
  /// With the weights.
  package var priority: Placement.Priority { .weights }

  /// As it says.
  package func sharding(in partitioning: Partitioning) -> Sharding? { sharding }
}

extension NameDimensions: ShardingAnnotation {
  private static let samples = "samples"

  /// From the beginning: what it names decides where samples go.
  package var priority: Placement.Priority { .data }

  /// The axes of its names. Free where the mesh cuts none of the names of this value and of what it is exchanged with,
  /// which is where the names are not mapped at all.
  package func sharding(in partitioning: Partitioning) -> Sharding? {
    guard !partitioning.names.isEmpty else { return nil }
    var cuts = names.map { name in name.flatMap { partitioning.names[$0] } ?? [] }
    let others = zip(names, cuts).filter { $0.0 != Self.samples }.flatMap(\.1)
    for (dimension, name) in names.enumerated() where name == Self.samples {
      cuts[dimension].removeAll(where: others.contains)
    }
    return Sharding(cuts)
  }
}
