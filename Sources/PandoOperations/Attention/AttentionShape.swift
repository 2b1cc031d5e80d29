import PandoIR

/// The sizes of an attention's operands, and the scores that its forward and gradient share.
struct AttentionShape {
  /// Batch, key heads, query heads for each key head, queries, keys, size of a head.
  let batch, keyHeads, group, queries, keys, size: Int
  let dtype: DType
  let causal: Bool
  let scale: Double

  /// Checks q [B, H, T, D], k and v [B, Hkv, S, D].
  init(
    _ operation: some CompositeOperation, _ operands: [TensorType], causal: Bool, scale: Double?
  ) throws(TypeError) {
    let (q, k, v) = (operands[0], operands[1], operands[2])
    try operation.checkFloating(q, "q")
    guard q.rank == 4, k.rank == 4 else {
      throw TypeError(operation, "q must be [B, H, T, D] and k and v [B, Hkv, S, D], got \(q), \(k) and \(v)")
    }
    try operation.check(v, is: k, "v")
    guard k.dtype == q.dtype, k.shape[0] == q.shape[0], k.shape[3] == q.shape[3] else {
      throw TypeError(operation, "q, k and v must have one type, batch and head size, got \(q) and \(k)")
    }
    guard k.shape[1] > 0, q.shape[1].isMultiple(of: k.shape[1]) else {
      throw TypeError(
        operation, "the \(q.shape[1]) heads of q must be a multiple of the \(k.shape[1]) heads of k and v")
    }
    guard k.shape[2] > 0, q.shape[3] > 0 else {
      throw TypeError(operation, "there must be a key, and heads must have a size, got \(q) and \(k)")
    }
    guard !causal || q.shape[2] <= k.shape[2] else {
      throw TypeError(
        operation,
        "\(q.shape[2]) causal queries over \(k.shape[2]) keys: the last query sees all keys, so the first "
          + "would see none")
    }
    batch = q.shape[0]
    keyHeads = k.shape[1]
    group = q.shape[1] / k.shape[1]
    queries = q.shape[2]
    keys = k.shape[2]
    size = q.shape[3]
    dtype = q.dtype
    self.causal = causal
    self.scale = scale ?? 1 / Double(size).squareRoot()
  }

  /// Arithmetic of `products` products of queries with keys or of weights with values, without what a causal mask
  /// hides; what softmax adds is little beside it.
  func cost(products: Int, _ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let pairs = causal ? queries * keys - queries * (queries - 1) / 2 : queries * keys
    return Cost(
      flops: products * 2 * batch * keyHeads * group * pairs * size, operands: operands, results: results,
      kind: .attention)
  }

  var statistics: TensorType { TensorType([batch, keyHeads * group, queries], dtype.accumulator) }
  var scores: [Int] { [batch, keyHeads, group, queries, keys] }

  /// A tensor with the queries' heads, in the accumulator type, as [B, Hkv, group, T, …].
  func grouped(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.reshape(graph.widen(value), [batch, keyHeads, group] + value.type.shape[2...])
  }

  /// The way back: [B, H, T, …] in the type of the operands.
  func restored(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.convert(ungrouped(value, in: &graph), to: dtype)
  }

  /// [B, H, T, …] in the accumulator type.
  func ungrouped(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.reshape(value, [batch, keyHeads * group] + value.type.shape[3...])
  }

  /// scale · q kᵀ, minus infinity where the causal mask hides the key.
  ///
  /// - Parameter q: grouped.
  func scores(_ q: Value, _ k: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let products = try graph.contract("bkgtd,bksd->bkgts", graph.scale(q, scale), graph.widen(k))
    guard causal else { return products }
    let mask = TensorType([queries, keys], .int32)
    let last = try graph.add(
      graph.iota(mask, dimension: 0), graph.constant(Double(keys - queries), mask))
    let seen = try graph.compare(.lessOrEqual, graph.iota(mask, dimension: 1), last)
    return try graph.select(
      graph.broadcast(seen, to: scores, dimensions: [3, 4]), products,
      graph.constant(-.infinity, like: products))
  }

  /// exp(scores - logsumexp), the weight of each key.
  func weights(
    _ q: Value, _ k: Value, logsumexp: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let level = try spread(grouped(logsumexp, in: &graph), in: &graph)
    return try graph.unary(.exponential, graph.subtract(scores(q, k, in: &graph), level))
  }

  /// One number a query, grouped, repeated for every key.
  func spread(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(value, to: scores, dimensions: [0, 1, 2, 3])
  }

  /// What cotangents of the scores (before the scale) are for q, grouped, and for k.
  func scorePullback(
    _ dscores: Value, _ q: Value, _ k: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> (dq: Value, dk: Value) {
    let scaled = try graph.scale(dscores, scale)
    return (
      try graph.contract("bkgts,bksd->bkgtd", scaled, graph.widen(k)),
      try graph.contract("bkgts,bkgtd->bksd", scaled, q)
    )
  }

  /// The sharding rule of an operation on tensors with the queries' heads, with the keys' and with one number a query.
  static func rule(
    _ operands: [TensorType], causal: Bool,
    _ make: (_ q: String, _ k: String, _ statistics: String) -> (operands: [String], results: [String])
  ) -> ShardingRule {
    let grouped =
      operands[0].rank == 4 && operands[1].rank == 4 && operands[0].shape[1] != operands[1].shape[1]
    // Query heads and the key heads that they share are different dimensions, which labels cannot split in step.
    let whole: Set<Character> = Set("sd" + (grouped ? "hg" : "") + (causal ? "t" : ""))
    // A causal query needs all keys before it, so a time that is cut is made whole by cutting heads in its place
    // (Jacobs et al. 2023, "DeepSpeed Ulysses", arXiv:2309.14509).
    let moving: [Character: Character] = causal && !grouped ? ["t": "h", "s": "h"] : [:]
    let (operands, results) = make("bhtd", grouped ? "bgsd" : "bhsd", "bht")
    return ShardingRule(operands: operands, results: results, whole: whole, moving: moving)
  }
}
