import PandoIR

/// Scaled dot-product attention: every query takes the mean of the values, weighted by the softmax of its products
/// with the keys.
///
/// Operands: q [B, H, T, D], k and v [B, Hkv, S, D]; H is a multiple of Hkv, and neighbouring query heads share a key
/// head (grouped-query attention). Results: the means [B, H, T, D], and the logarithm of the sum of the exponentials of
/// each query's scores [B, H, T] in the accumulator type, from which the gradient makes the weights again.
/// Vaswani et al.: Attention is all you need (2017); Dao et al.: FlashAttention (2022) for the gradient.
public struct Attention: CompositeOperation {
  public static let name = "attention"
  public static let operandCount: Int? = 3

  /// Whether a query sees only the keys up to its own place. Queries are the last of the keys: query t sees keys 0 to
  /// t + S - T, which for T = S is PyTorch's `is_causal`, and for T < S continues after a cache. T > S is an error.
  public let causal: Bool
  /// The factor of the products; `nil` for 1/√D.
  public let scale: Double?

  /// An attention.
  public init(causal: Bool, scale: Double? = nil) {
    self.causal = causal
    self.scale = scale
  }

  public var precision: PrecisionRule { .low }

  /// The types of the means and of the logarithms.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let shape = try AttentionShape(self, operands, causal: causal, scale: scale)
    return [operands[0], shape.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let shape = try AttentionShape(self, operands.map(\.type), causal: causal, scale: scale)
    let scores = try shape.scores(shape.grouped(operands[0], in: &graph), operands[1], in: &graph)
    let maximum = try graph.reduce(.maximum, scores, [4])
    let power = try graph.unary(
      .exponential, graph.subtract(scores, shape.spread(maximum, in: &graph)))
    let sum = try graph.reduce(.sum, power, [4])
    let total = try graph.contract("bkgts,bksd->bkgtd", power, graph.widen(operands[2]))
    let mean = try graph.divide(
      total, graph.broadcast(sum, to: total.type.shape, dimensions: [0, 1, 2, 3]))
    let logarithm = try graph.add(maximum, graph.unary(.logarithm, sum))
    return [try shape.restored(mean, in: &graph), try shape.ungrouped(logarithm, in: &graph)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (q, k) = (operands[0], operands[1])
    var gradients = try graph.emit(
      AttentionGradient(causal: causal, scale: scale), operands: operands + results + [cotangents[0]])
    if !graph.isZero(cotangents[1]) {
      // Second derivatives only: the logarithm's slope by the scores are the weights.
      let shape = try AttentionShape(self, operands.map(\.type), causal: causal, scale: scale)
      let grouped = try shape.grouped(q, in: &graph)
      let weights = try shape.weights(grouped, k, logsumexp: results[1], in: &graph)
      let dlogarithm = try shape.spread(shape.grouped(cotangents[1], in: &graph), in: &graph)
      let (dq, dk) = try shape.scorePullback(
        graph.multiply(weights, dlogarithm), grouped, k, in: &graph)
      gradients[0] = try graph.add(gradients[0], shape.restored(dq, in: &graph))
      gradients[1] = try graph.add(gradients[1], graph.convert(dk, to: k.type.dtype))
    }
    return gradients
  }

  /// Two products: the scores and the means.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    (try? AttentionShape(self, operands, causal: causal, scale: scale))?
      .cost(products: 2, operands, results) ?? Cost(flops: 0, operands: operands, results: results)
  }

  /// The batch may be split, heads too where each query head has its own key head, and queries without a mask. Under a
  /// mask the cuts of time go to the heads.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    AttentionShape.rule(operands, causal: causal) { q, k, statistics in ([q, k, k], [q, statistics]) }
  }
}

/// The gradient of `Attention` by its first result: operands q, k, v, both results and the cotangent of the first;
/// results the cotangents of q, k and v.
public struct AttentionGradient: CompositeOperation {
  public static let name = "attention_gradient"
  public static let operandCount: Int? = 6

  /// As in the forward operation.
  public let causal: Bool
  /// As in the forward operation.
  public let scale: Double?

  /// The gradient of an attention with the same mask and scale.
  public init(causal: Bool, scale: Double? = nil) {
    self.causal = causal
    self.scale = scale
  }

  /// The logarithms of the sums stay as they are.
  public var precision: PrecisionRule { PrecisionRule(.low, keeping: [4]) }

  /// The types of q, k and v.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let shape = try AttentionShape(self, operands, causal: causal, scale: scale)
    try check(operands[3], is: operands[0], "the attention's result")
    try check(operands[4], is: shape.statistics, "the logarithm of the sums")
    try check(operands[5], is: operands[0], "the cotangent")
    return Array(operands[..<3])
  }

  /// With weights p: dv = pᵀ dout, dscores = p (dout vᵀ - Σ dout · out), dq = scale · dscores k,
  /// dk = scale · dscoresᵀ q.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let shape = try AttentionShape(self, operands.map(\.type), causal: causal, scale: scale)
    let k = operands[1]
    let q = try shape.grouped(operands[0], in: &graph)
    let dout = try shape.grouped(operands[5], in: &graph)
    let weights = try shape.weights(q, k, logsumexp: operands[4], in: &graph)
    let dv = try graph.contract("bkgts,bkgtd->bksd", weights, dout)
    let dweights = try graph.contract("bkgtd,bksd->bkgts", dout, graph.widen(operands[2]))
    let mean = try graph.reduce(
      .sum, graph.multiply(dout, shape.grouped(operands[3], in: &graph)), [4])
    let dscores = try graph.multiply(
      weights, graph.subtract(dweights, shape.spread(mean, in: &graph)))
    let (dq, dk) = try shape.scorePullback(dscores, q, k, in: &graph)
    return [
      try shape.restored(dq, in: &graph), try graph.convert(dk, to: k.type.dtype),
      try graph.convert(dv, to: k.type.dtype),
    ]
  }

  /// Five products: the scores again, and the gradients of weights, values, queries and keys.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    (try? AttentionShape(self, operands, causal: causal, scale: scale))?
      .cost(products: 5, operands, results) ?? Cost(flops: 0, operands: operands, results: results)
  }

  /// As the forward operation; split queries leave partial sums of the keys' and values' gradients.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    AttentionShape.rule(operands, causal: causal) { q, k, statistics in
      ([q, k, k, q, statistics, q], [q, k, k])
    }
  }
}
