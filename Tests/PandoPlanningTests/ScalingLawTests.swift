import Foundation
import PandoIR
import PandoPlanning
import Testing

/// The constants of Hoffmann et al. 2022 (arXiv:2203.15556, equation 10).
private let chinchilla = ScalingLaw(
  irreducible: 1.69, sizeFactor: 406.4, sizeExponent: 0.34, dataFactor: 410.7, dataExponent: 0.28)
private let sizes = [3e7, 6e7, 1.2e8, 2.4e8]
private let amounts = [1e9, 2e9, 4e9, 8e9]

/// What a law gives on a grid, with noise of a normal distribution in the logarithm.
private func observed(
  _ law: ScalingLaw, noise: Double = 0, seed: UInt64 = 1, sizes: [Double] = sizes, amounts: [Double] = amounts
) -> [ScalingObservation] {
  var drawn: UInt64 = 0
  return sizes.flatMap { size in
    amounts.map { amount in
      drawn += 1
      let words = Philox.block(drawn, stream: 1, step: 0, seed: seed)
      // Box and Muller 1958.
      let (u, v) = ((Double(words[0]) + 1) / 0x1p32, Double(words[1]) / 0x1p32)
      let normal = (-2 * log(min(u, 1))).squareRoot() * cos(2 * .pi * v)
      return ScalingObservation(
        parameters: size, tokens: amount,
        loss: law.loss(parameters: size, tokens: amount) * exp(noise * normal))
    }
  }
}

private func isNear(_ a: Double, _ b: Double, _ share: Double) -> Bool { abs(a / b - 1) <= share }

@Test func aLawIsFoundAgainFromWhatItGives() throws {
  let laws = [
    chinchilla,
    ScalingLaw(irreducible: 0.8, sizeFactor: 40, sizeExponent: 0.25, dataFactor: 9000, dataExponent: 0.55),
  ]
  for law in laws {
    let estimate = try ScalingEstimate(observed(law), resamples: 20)
    let found = estimate.law
    #expect(isNear(found.irreducible, law.irreducible, 1e-4), "\(found)")
    #expect(isNear(found.sizeFactor, law.sizeFactor, 1e-3), "\(found)")
    #expect(isNear(found.sizeExponent, law.sizeExponent, 1e-4), "\(found)")
    #expect(isNear(found.dataFactor, law.dataFactor, 1e-3), "\(found)")
    #expect(isNear(found.dataExponent, law.dataExponent, 1e-4), "\(found)")
    #expect(estimate.relativeError < 1e-6)
  }
}

/// At nine times the compute of the largest, with the noise of single runs: near the truth, and the bounds mean what they
/// say.
@Test func noisyRunsForetellALargerOneWithinTheirBounds() throws {
  let (size, data) = (7.2e8, 2.4e10)
  let truth = chinchilla.loss(parameters: size, tokens: data)
  var inside = 0
  for seed in 1...40 {
    let estimate = try ScalingEstimate(observed(chinchilla, noise: 0.003, seed: UInt64(seed)), resamples: 60)
    let figure = try estimate.loss(parameters: size, tokens: data)
    #expect(isNear(figure.value, truth, 0.03), "seed \(seed): \(figure)")
    #expect(figure.interval.low < figure.interval.high)
    if figure.interval.low <= truth, truth <= figure.interval.high { inside += 1 }
  }
  // 36 of 40 expected; of 28 or fewer the chance is one in a thousand.
  #expect(inside >= 29, "\(inside) of 40")
}

@Test func boundsAreTheSameForTheSameSeed() throws {
  let runs = observed(chinchilla, noise: 0.003)
  let figures = try [3, 3, 4].map {
    try ScalingEstimate(runs, resamples: 40, seed: $0).loss(parameters: 7.2e8, tokens: 2.4e10)
  }
  #expect(figures[0] == figures[1])
  #expect(figures[0].value == figures[2].value && figures[0].interval != figures[2].interval)
}

/// One run that is a fifth off moves the law by less than a hundredth of that: Huber's loss bounds its pull.
@Test func anOutlierDoesNotMoveTheLaw() throws {
  var runs = observed(chinchilla)
  runs[5].loss *= 1.2
  let law = try ScalingEstimate(runs, resamples: 5).law
  #expect(
    isNear(
      law.loss(parameters: 7.2e8, tokens: 2.4e10), chinchilla.loss(parameters: 7.2e8, tokens: 2.4e10),
      0.2 / 100))
}

/// Losses that the published law gives for two published models.
@Test func thePublishedLawGivesThePublishedLosses() {
  #expect(abs(chinchilla.loss(parameters: 70e9, tokens: 1.4e12) - 1.937) < 5e-4)
  #expect(abs(chinchilla.loss(parameters: 280e9, tokens: 300e9) - 1.993) < 5e-4)
}

/// Table 2 of the paper: approach 3 splits a budget as N ∝ C^0.46, D ∝ C^0.54.
@Test func thePublishedOptimumIsReproduced() {
  let budget = 5.76e23
  let (split, larger) = (chinchilla.bestSplit(budget: budget), chinchilla.bestSplit(budget: budget * 100))
  #expect(abs(log10(larger.parameters / split.parameters) / 2 - 0.46) < 0.01)
  #expect(abs(log10(larger.tokens / split.tokens) / 2 - 0.54) < 0.01)
  #expect(isNear(6 * split.parameters * split.tokens, budget, 1e-9))
  #expect(split.loss == chinchilla.loss(parameters: split.parameters, tokens: split.tokens))
  // No other split of the same budget is better.
  for factor in [0.5, 0.9, 0.99, 1.01, 1.1, 2] {
    let loss = chinchilla.loss(parameters: split.parameters * factor, tokens: split.tokens / factor)
    #expect(loss > split.loss)
  }
}

@Test func theBestSplitHasBoundsThatHoldTheTruth() throws {
  let estimate = try ScalingEstimate(observed(chinchilla, noise: 0.001))
  let truth = chinchilla.bestSplit(budget: 1e20)
  let (split, range) = try estimate.bestSplit(budget: 1e20, perPair: 6)
  #expect(isNear(split.parameters, truth.parameters, 0.5))
  #expect(range.low < truth.parameters && truth.parameters < range.high)
}

/// Where observations do not determine a law there is no figure, and the reason is said.
@Test(arguments: [
  ("at least 7", Array(observed(chinchilla).prefix(6))),
  ("numbers of parameters", observed(chinchilla, sizes: [3e7, 6e7], amounts: amounts + [1.6e10])),
  ("amounts of data", observed(chinchilla, sizes: sizes, amounts: [1e9, 2e9])),
  (
    "grow together",
    (0..<8).map { place in
      let size = 3e7 * pow(2, Double(place))
      return ScalingObservation(
        parameters: size, tokens: 20 * size, loss: chinchilla.loss(parameters: size, tokens: 20 * size))
    }
  ),
  (
    "number of parameters by more",
    observed(
      ScalingLaw(irreducible: 2, sizeFactor: 1e-9, sizeExponent: 0.3, dataFactor: 410, dataExponent: 0.28),
      noise: 0.002)
  ),
  (
    "by more than the runs' noise",
    observed(
      ScalingLaw(irreducible: 2, sizeFactor: 1e-9, sizeExponent: 0.3, dataFactor: 1e-9, dataExponent: 0.3),
      noise: 0.01)
  ),
  ("no law allows", observed(chinchilla) + [ScalingObservation(parameters: 1e8, tokens: 1e9, loss: .nan)]),
])
func whatDoesNotDetermineALawIsRefused(_ words: String, _ runs: [ScalingObservation]) {
  do {
    let estimate = try ScalingEstimate(runs, resamples: 20)
    Issue.record("expected no law, got \(estimate.law)")
  } catch {
    #expect(error.description.contains("not identifiable"))
    #expect(error.reason.contains(words), "\(error.reason)")
  }
}

/// A law may be known where it was observed, and say nothing of a size far beyond.
@Test func aPredictionTooFarAwayIsRefused() throws {
  let estimate = try ScalingEstimate(observed(chinchilla, noise: 0.01), resamples: 100)
  let error = #expect(throws: NotIdentifiable.self) { try estimate.loss(parameters: 1e15, tokens: 1e18) }
  #expect(error?.reason.contains("90 % interval") == true)
}
