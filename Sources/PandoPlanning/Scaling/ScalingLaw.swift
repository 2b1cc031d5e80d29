import Foundation

/// How the loss falls with the number of parameters N and the number of tokens seen D:
/// L = E + A/N^α + B/D^β (Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", arXiv:2203.15556,
/// equation 2).
public struct ScalingLaw: Hashable, Sendable, Codable {
  /// E, in nats: what is left of the loss for a model without limits on data without end.
  public var irreducible: Double
  /// A and α: the price of a finite number of parameters.
  public var sizeFactor: Double, sizeExponent: Double
  /// B and β: the price of a finite number of tokens.
  public var dataFactor: Double, dataExponent: Double

  enum CodingKeys: String, CodingKey {
    case irreducible = "E"
    case sizeFactor = "A"
    case sizeExponent = "alpha"
    case dataFactor = "B"
    case dataExponent = "beta"
  }

  /// A law by its constants.
  public init(
    irreducible: Double, sizeFactor: Double, sizeExponent: Double, dataFactor: Double, dataExponent: Double
  ) {
    self.irreducible = irreducible
    (self.sizeFactor, self.sizeExponent) = (sizeFactor, sizeExponent)
    (self.dataFactor, self.dataExponent) = (dataFactor, dataExponent)
  }

  /// The loss in nats of a model of so many parameters that has seen so many tokens.
  public func loss(parameters: Double, tokens: Double) -> Double {
    irreducible + sizeTerm(parameters) + dataTerm(tokens)
  }

  /// A/N^α, by logarithms: A alone may be beyond any number.
  func sizeTerm(_ parameters: Double) -> Double { exp(log(sizeFactor) - sizeExponent * log(parameters)) }

  /// B/D^β.
  func dataTerm(_ tokens: Double) -> Double { exp(log(dataFactor) - dataExponent * log(tokens)) }

  /// How a budget is best split between parameters and data.
  public struct Split: Hashable, Sendable, Codable {
    /// N and D.
    public var parameters: Double, tokens: Double
    /// The loss that the law foresees there, in nats.
    public var loss: Double
  }

  /// The sizes of the lowest loss for a budget, by equation 4 of the paper: N = G (C/k)^(β/(α+β)) and
  /// D = (C/k)^(α/(α+β)) / G with G = (αA/βB)^(1/(α+β)).
  ///
  /// - Parameters:
  ///   - budget: C, floating-point operations.
  ///   - perPair: k, operations that training takes for each parameter and token; 6 where nearly all are products with
  ///     weights.
  public func bestSplit(budget: Double, perPair: Double = 6) -> Split {
    let sum = sizeExponent + dataExponent
    let pairs = log(budget / perPair)
    let factor =
      (log(sizeExponent) + log(sizeFactor) - log(dataExponent) - log(dataFactor)) / sum
    let parameters = exp(factor + pairs * dataExponent / sum)
    let tokens = exp(pairs * sizeExponent / sum - factor)
    return Split(
      parameters: parameters, tokens: tokens, loss: loss(parameters: parameters, tokens: tokens))
  }
}

/// What a run of a certain size reached.
public struct ScalingObservation: Hashable, Sendable, Codable {
  /// Trained parameters, and tokens seen, repeats included.
  public var parameters: Double, tokens: Double
  /// The loss on held-out samples at the end, in nats.
  public var loss: Double

  /// An observation; all three are above 0.
  public init(parameters: Double, tokens: Double, loss: Double) {
    self.parameters = parameters
    self.tokens = tokens
    self.loss = loss
  }
}
