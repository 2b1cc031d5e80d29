import Foundation
import PandoIR

/// One step of Adam or AdamW, with PyTorch's formulas.
///
/// m ← beta1 m + (1 - beta1) g, v ← beta2 v + (1 - beta2) g², and the parameter falls by
/// rate / (1 - beta1ᵗ) · m / (√v / √(1 - beta2ᵗ) + epsilon). Weight decay either shrinks the parameter by the factor
/// 1 - rate · weightDecay first (decoupled, AdamW), or adds weightDecay times the parameter to the gradient (Adam).
///
/// Operands: parameter, gradient, m, v, and as scalars the learning rate and the step t, which is 1 for the first
/// step; where it `isGuarded` also the gradient's scale and whether the step is taken (bool), see `UpdateGuarding`;
/// where it has a `stream` at last a key, `int64[2]`. Results: the new parameter, m and v, each of its operand's type.
/// Kingma, Ba: Adam (2014); Loshchilov, Hutter: Decoupled weight decay regularization (2017).
///
/// With a stream, m and v are bfloat16 and rounded at random. To the nearest, v would stand still: it changes by at most
/// 1 - beta2 of itself when gradients get smaller, 0.1 % by default, which is less than half a unit in bfloat16's last
/// place. Zamirai, Zhang, Aberger, De Sa: Revisiting BFloat16 training (2020, arXiv:2010.06192) has the same of weights.
public struct AdamUpdate: UpdateGuarding {
  public static let name = "adam_update"
  public static let operandCount: Int? = nil

  /// The share of the mean gradient that stays.
  public let beta1: Double
  /// The share of the mean squared gradient that stays.
  public let beta2: Double
  /// Added to the root of the mean squared gradient.
  public let epsilon: Double
  /// The strength of the pull towards zero.
  public let weightDecay: Double
  /// Whether the pull acts on the parameter (AdamW) and not through the gradient (Adam).
  public let decoupled: Bool
  public let isGuarded: Bool
  /// The stream of `RandomBits` that rounds m and v: of each element's word the lower half m, the upper half v.
  public let stream: Int?

  /// A step of Adam; by default AdamW without weight decay.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupled: Bool = true, isGuarded: Bool = false, stream: Int? = nil
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decoupled = decoupled
    self.isGuarded = isGuarded
    self.stream = stream
  }

  public var traits: Traits { .inPlace }

  /// The types of the parameter, m and v.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let operands = try checkDraw(operands)
    try check(beta1, in: 0..<1, "beta1")
    try check(beta2, in: 0..<1, "beta2")
    try check(epsilon: epsilon)
    try checkNotNegative(weightDecay, "weight decay")
    let roles = ["the parameter", "the gradient", "m", "v"]
    try checkCount(operands, roles + ["the learning rate", "the step"])
    try checkUpdate(
      tensors: Array(zip(operands, roles)),
      scalars: [(operands[4], "the learning rate"), (operands[5], "the step")])
    try checkGuard(operands)
    return [operands[0], operands[2], operands[3]]
  }

  /// The operands without the key.
  private func checkDraw(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard let stream else { return operands }
    guard (0..<RandomBits.streamCount).contains(stream) else {
      throw TypeError(self, "the stream must be from 0 to \(RandomBits.streamCount - 1), got \(stream)")
    }
    guard operands.count > 4, operands[operands.count - 1] == TensorType([2], .int64) else {
      throw TypeError(self, "takes a key at last, int64[2], to round m and v")
    }
    for (type, role) in [(operands[2], "m"), (operands[3], "v")] where type.dtype != .bfloat16 {
      throw TypeError(self, "\(role) must be bfloat16 to be rounded at random, got \(type)")
    }
    guard operands[0].dtype.accumulator == .float32 else {
      throw TypeError(self, "a parameter with state in bfloat16 is computed in float32, got \(operands[0])")
    }
    return Array(operands.dropLast())
  }

  public func decompose(_ all: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let operands = stream == nil ? all : Array(all.dropLast())
    var wide: [Value] = []
    let type = operands[0].type.with(dtype: operands[0].type.dtype.accumulator)
    for operand in operands.prefix(6) { wide.append(try graph.convert(operand, to: type.dtype)) }
    var (p, g) = (wide[0], try scaled(wide[1], by: operands, in: &graph))
    let (rate, step) = (wide[4], wide[5])
    func spread(_ scalar: Value) throws(TypeError) -> Value {
      try graph.broadcast(scalar, to: type.shape, dimensions: [])
    }
    if weightDecay > 0, decoupled {
      let one = try graph.constant(1, like: rate)
      p = try graph.multiply(p, spread(graph.subtract(one, graph.scale(rate, weightDecay))))
    } else if weightDecay > 0 {
      g = try graph.add(g, graph.scale(p, weightDecay))
    }
    let m = try graph.add(graph.scale(wide[2], beta1), graph.scale(g, 1 - beta1))
    let v = try graph.add(graph.scale(wide[3], beta2), graph.scale(graph.multiply(g, g), 1 - beta2))
    let correction1 = try correction(beta1, step, in: &graph)
    let correction2 = try graph.unary(.squareRoot, correction(beta2, step, in: &graph))
    let root = try graph.divide(graph.unary(.squareRoot, v), spread(correction2))
    let denominator = try graph.add(root, graph.constant(epsilon, type))
    let change = try graph.multiply(spread(graph.divide(rate, correction1)), graph.divide(m, denominator))
    let parameter = try graph.convert(graph.subtract(p, change), to: operands[0].type.dtype)
    let new: [Value]
    if let stream {
      let words = try graph.emit(RandomBits(shape: type.shape, stream: stream), all[all.count - 1])
      let half = try graph.constant(16, like: words)
      let lower = try graph.binary(.shiftRightLogical, graph.binary(.shiftLeft, words, half), half)
      let upper = try graph.binary(.shiftRightLogical, words, half)
      new = [
        parameter, try graph.roundedAtRandom(m, draws: lower), try graph.roundedAtRandom(v, draws: upper),
      ]
    } else {
      new = [
        parameter, try graph.convert(m, to: operands[2].type.dtype),
        try graph.convert(v, to: operands[3].type.dtype),
      ]
    }
    return try taken(new, or: [operands[0], operands[2], operands[3]], operands, in: &graph)
  }

  /// 1 - betaᵗ as -expm1(t log(beta)): in float32 the plain form would lose five digits for beta near 1.
  private func correction(
    _ beta: Double, _ step: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    try graph.negate(graph.unary(.exponentialMinusOne, graph.scale(step, log(beta))))
  }

  /// What is drawn depends on the place in the whole tensor, so with a stream nothing may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let rank = operands[0].rank
    guard stream != nil else {
      return updateRule(rank: rank, tensors: 4, scalars: operands.count - 4, results: 3)
    }
    let rule = updateRule(rank: rank, tensors: 4, scalars: operands.count - 5, results: 3)
    let key = ShardingRule.labels(1, from: rank)
    return ShardingRule(
      operands: rule.operands + [key], results: rule.results,
      whole: Set(ShardingRule.labels(rank) + key))
  }
}
