import Pando

/// How the ranks of a run add up their gradients.
///
/// Every rank ends with the same bits, or the replicas of the network would drift apart.
protocol GradientExchange: AnyObject {
  /// Bytes that it keeps beside the vector.
  var byteCount: Int { get }

  /// Replaces a rank's vector by the sum over all ranks; all ranks call it.
  ///
  /// - Parameter vector: gradients, and behind them what must be added up exactly, such as the loss.
  func sum(_ vector: HostBuffer) throws
}
