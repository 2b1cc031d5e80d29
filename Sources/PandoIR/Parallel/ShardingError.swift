/// A tensor that cannot be spread over a mesh as asked, or a mesh that cannot be.
public struct ShardingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked, why it does not go, and the mend.
  public let description: String

  /// An error with its text.
  public init(_ description: String) { self.description = description }

  /// A size that does not divide.
  public static func uneven(_ size: Int, over axes: [String], _ parts: Int, _ place: String) -> ShardingError
  {
    let below = size / parts * parts
    let nearest = below > 0 ? "the nearest sizes that do are \(below) and \(below + parts)" : "take \(parts)"
    return ShardingError(
      "\(place) has size \(size), which does not divide over \(axes.joined(separator: " × ")) = \(parts); "
        + nearest)
  }
}
