import Pando

/// Which tokens go to which experts: the `top` best of each token, as long as these have room.
///
/// Every expert has `slots` places for the tokens of one sample. Samples are routed apart, so that a batch may be split
/// in any way without a change of what is computed. All first choices come before all second ones, and within a rank of
/// choice earlier tokens before later ones; a choice that finds its expert full is dropped (Lepikhin et al. 2020,
/// "GShard", arXiv:2006.16668; Fedus et al. 2021, "Switch Transformers", arXiv:2101.03961).
struct ExpertRouting {
  /// How many experts there are.
  let experts: Int
  /// How many of them each token goes to.
  let top: Int
  /// Places that an expert has for one sample.
  let slots: Int
  /// The probability of each expert, `[batch, time, experts]`.
  let probabilities: Tensor
  /// For each slot of each expert its token, `[batch, experts · slots]`, int32; 0 for an empty slot, whose output nobody
  /// takes.
  let tokens: Tensor
  /// For each choice its slot among all experts', `[batch, top · time]`, int32; `experts · slots` for a dropped one.
  let places: Tensor
  /// The weight of each choice's output, `[batch, top · time]`; 0 for a dropped one.
  let weights: Tensor
  private let logits: Tensor
  /// How often each expert was chosen, whether it had room or not, `[batch, experts]`.
  private let counts: Tensor
  /// 1 for each choice whose expert had room, 0 for the others, `[batch, top · time]`.
  private let hasRoom: Tensor

  /// Places that each of `experts` needs for `time` tokens which go to `top` of them, with `capacity` times as much room
  /// as an even split takes; at most one for each token, since a token chooses an expert once.
  static func slots(time: Int, experts: Int, top: Int, capacity: Double) -> Int {
    let even = Double(time * top) / Double(experts)
    return min(time, max(1, Int((even * capacity).rounded(.up))))
  }

  /// - Parameter logits: `[batch, time, experts]`
  init(_ logits: Tensor, top: Int, capacity: Double) {
    let (batch, time, experts) = (logits.size(0), logits.size(1), logits.size(2))
    self.logits = logits
    self.experts = experts
    self.top = top
    slots = Self.slots(time: time, experts: experts, top: top, capacity: capacity)
    probabilities = softmax(logits)
    let best = probabilities.topK(top)

    // Choices in the order in which they are served: by rank of choice, then by time.
    let count = top * time
    func served(_ x: Tensor) -> Tensor { x.transpose(1, 2).reshape(batch, count) }
    let expert = served(best.indices)
    let wide = expert.unsqueeze(-1).broadcast(to: [batch, count, experts])
    let chosen = (wide .== .iota([batch, count, experts], 2)).cast(.int32)
    let place = (chosen.cumulativeSum(1, exclusive: true) * chosen).sum([2])
    let isServed = place .< Double(slots)
    let all = experts * slots
    places = select(
      isServed, expert * Double(slots) + place, .full([batch, count], Double(all), dtype: .int32))
    tokens = Tensor.zeros([batch, all], dtype: .int32).adding(
      Tensor.iota([batch, top, time], 2).reshape(batch, count), at: places, 1, sharing: 1)
    counts = chosen.sum([1])

    // One choice keeps its probability, which is how the router learns; several share out 1 among them.
    let share =
      top == 1
      ? best.values
      : best.values / best.values.sum([-1], keepDimensions: true).broadcast(to: best.values.shape)
    hasRoom = isServed.cast(logits.dtype)
    weights = served(share) * hasRoom
  }

  /// Experts times the sum over experts of the share of choices and the mean probability, for each sample, then their
  /// mean: 1 where all are used evenly, more otherwise (Fedus et al. 2021, equation 4).
  var balanceLoss: Tensor {
    let time = probabilities.size(1)
    let shares = counts.cast(probabilities.dtype) * (1 / Double(time * top))
    return (shares * probabilities.mean([1])).sum([1]).mean() * Double(experts)
  }

  /// The share of choices that found their expert full.
  var droppedShare: Tensor { 1 - hasRoom.mean() }

  /// The mean square of the logarithm of the sum of the exponentials of a token's logits, which keeps them small (Zoph et
  /// al. 2022, "ST-MoE", arXiv:2202.08906, equation 5).
  var logitLoss: Tensor {
    let highest = logits.max([-1], keepDimensions: true)
    let sums = exp(logits - highest.broadcast(to: logits.shape)).sum([-1])
    let level = log(sums) + highest.squeeze(-1)
    return (level * level).mean()
  }
}
