/// A number for the height and one for the width of an image: `3` for both, `[3, 5]`, or `Pair(height, width)`.
public struct Pair: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// Along the height.
  public let height: Int
  /// Along the width.
  public let width: Int

  /// One number for each direction.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// The same number in both directions.
  public init(_ both: Int) { self.init(both, both) }

  /// The same number in both directions.
  public init(integerLiteral both: Int) { self.init(both, both) }

  /// `[height, width]`; there must be two.
  public init(arrayLiteral numbers: Int...) {
    precondition(numbers.count == 2, "write [height, width], not \(numbers)")
    self.init(numbers[0], numbers[1])
  }

  /// Height, then width.
  public var array: [Int] { [height, width] }
}
