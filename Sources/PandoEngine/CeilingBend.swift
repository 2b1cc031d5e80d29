import Foundation

/// By how much work of one size was seen to take longer, or shorter, than a straight line says.
///
/// Between sizes the logarithms of such factors are averaged by nearness, with Gaussian weights of the distance in octaves
/// of operations and bytes (Nadaraya 1964, Watson 1964), and with a weight for the line itself: far from all that was
/// measured nothing is changed.
public struct CeilingBend: Hashable, Sendable, Codable {
  /// Floating-point operations and bytes of the work that was measured.
  public let flops, bytes: Int
  /// Whether its operands were in the caches.
  public let isCached: Bool
  /// The time that was seen over that of the line.
  public let factor: Double

  /// A factor, above 0, seen at a size.
  public init(flops: Int, bytes: Int, isCached: Bool, factor: Double) {
    (self.flops, self.bytes, self.isCached, self.factor) = (flops, bytes, isCached, factor)
  }

  /// Octaves in which what was seen counts for three fifths.
  private static let reach = 0.4
  /// What the straight line counts against one measurement of the very size.
  private static let straightWeight = 0.05

  /// What the line is to be multiplied with at a size, by what was seen around it.
  static func factor(of bends: [CeilingBend], flops: Int, bytes: Int, isCached: Bool) -> Double {
    guard !bends.isEmpty else { return 1 }
    let (flops, bytes) = (octaves(flops), octaves(bytes))
    var (weights, sum) = (straightWeight, 0.0)
    for bend in bends where bend.isCached == isCached {
      let (a, b) = (octaves(bend.flops) - flops, octaves(bend.bytes) - bytes)
      let weight = exp(-(a * a + b * b) / (2 * reach * reach))
      weights += weight
      sum += weight * log(bend.factor)
    }
    return exp(sum / weights)
  }

  private static func octaves(_ count: Int) -> Double { log2(Double(max(1, count))) }
}
