import Pando

/// How the ranks of a run add up their gradients.
///
/// Every rank ends with the same bits, or the replicas of the network would drift apart.
package protocol GradientExchange: AnyObject {
  /// Bytes that it keeps beside the vector, those of its programs apart.
  var byteCount: Int { get }
  /// What it runs.
  var programs: [Program] { get }
  /// What it remembers from step to step.
  var carried: [CarriedTensor] { get }

  /// What `sum` exchanges.
  var exchanges: [StepExchange] { get }

  /// Replaces a rank's vector by the sum over all ranks; all ranks call it.
  func sum() throws
}

extension GradientExchange {
  package var programs: [Program] { [] }
  package var carried: [CarriedTensor] { [] }
}

extension Recipe.GradientForm {
  /// The exchange that the recipe names, for a vector.
  package func makeExchange(
    _ vector: GradientVector, _ communicator: any Communicator, on device: Device
  ) throws -> any GradientExchange {
    switch self {
    case .float32: ExactExchange(vector, communicator)
    case .bf16: try RoundedExchange(vector, communicator, on: device)
    case .topK(let topK): TopKExchange(vector, communicator, density: topK.density)
    case .powerSGD(let power): try PowerExchange(vector, communicator, rank: power.rank, on: device)
    }
  }
}

extension StepExchange {
  /// An exchange among all ranks of a run that spreads samples alone.
  static func samples(_ kind: ExchangeKind, bytes: Int, _ communicator: any Communicator) -> StepExchange {
    StepExchange(kind, axes: ["data"], ranks: communicator.size, bytes: bytes)
  }
}

extension GradientVector {
  /// What `sumTail` exchanges.
  func tailExchanges(_ communicator: any Communicator) -> [StepExchange] {
    layout.count > gradientCount
      ? [.samples(.allReduce, bytes: (layout.count - gradientCount) * 4, communicator)] : []
  }
}
