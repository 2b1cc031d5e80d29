import PandoIR

extension Catalogue {
  static let collective: [any PandoIR.Operation.Type] = [
    AllReduce.self, AllGather.self, ReduceScatter.self, AllToAll.self, CollectivePermute.self,
    CollectiveDone.self, AxisIndex.self, ShardSlice.self, Shard.self, NameDimensions.self,
  ]
}
