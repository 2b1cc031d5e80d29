import PandoIR

/// An operation that only passes of this engine emit, into graphs that are about to become programs.
///
/// Nobody differentiates or splits such a graph any more.
protocol EngineOperation: CPULowering {}

extension EngineOperation {
  package func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    throw TypeError(self, "stands in compiled programs only and has no gradient")
  }

  /// Every dimension stays whole.
  package func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var used = 0
    let rules = operands.map { type -> String in
      defer { used += type.rank }
      return ShardingRule.labels(type.rank, from: used)
    }
    return ShardingRule(operands: rules, results: [], whole: Set(rules.joined()))
  }
}
