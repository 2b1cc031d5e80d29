import PandoIR
import PandoOperations

extension Samples {
  /// Exchanges in a group of one rank, where each has a meaning that needs no others; what they do among several is
  /// checked by `PartitionCheck`.
  static let collective: [OperationSample] = [
    OperationSample(AllReduce(axes: [], parts: 1), .uniform([2, 3])),
    OperationSample(AllReduce(.maximum, axes: ["data"], parts: 1), .distinct([4])),
    OperationSample(AllReduce(.minimum, axes: ["data"], parts: 1), .distinct([4])),
    OperationSample(
      AllReduce(.product, axes: ["data"], parts: 1), .uniform([4], -9...9, .int32), checksGradient: false),
    OperationSample(AllGather(1, axes: ["data"], parts: 1), .uniform([2, 3])),
    OperationSample(AllGather(0, axes: [], parts: 1), .uniform([2, 3], -9...9, .int32)),
    OperationSample(ReduceScatter(1, axes: ["data"], parts: 1), .uniform([2, 4])),
    OperationSample(
      ReduceScatter(0, .maximum, axes: ["data"], parts: 1), .distinct([4]), checksGradient: false),
    OperationSample(AllToAll(cut: 0, joined: 1, axes: ["data"], parts: 1), .uniform([2, 3])),
    OperationSample(AllToAll(cut: 1, joined: 1, axes: ["data"], parts: 1), .uniform([2, 3], 0...1, .bool)),
    OperationSample(CollectivePermute(shift: 1, axes: ["pipeline"], parts: 1), .uniform([3])),
    OperationSample(CollectiveDone(channel: 0), .uniform([3, 2])),
    OperationSample(CollectiveDone(channel: 1), .uniform([3]), .uniform([6])),
    OperationSample(AxisIndex(axes: ["data"], parts: 1, factor: 4)),
    OperationSample(ShardSlice(1, axes: ["data"], parts: 1), .uniform([2, 3])),
    OperationSample(ShardSlice(0, axes: ["data"], parts: 1), .uniform([4], -9...9, .int64)),
    OperationSample(Shard(Sharding([["data"], []])), .uniform([4, 2])),
    OperationSample(Shard(Sharding([])), .uniform([])),
    OperationSample(NameDimensions(["samples", nil]), .uniform([4, 2])),
  ]
}
