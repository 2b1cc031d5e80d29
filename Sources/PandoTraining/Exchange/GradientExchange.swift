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
