import Pando

/// Dimensions `first...last` merged into one. PyTorch: `nn.Flatten`.
public struct Flatten: PureLayer {
  private let first: Int
  private let last: Int

  /// Merges all dimensions but the first unless told otherwise; negative numbers count from the last.
  public init(from first: Int = 1, to last: Int = -1) {
    self.first = first
    self.last = last
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { x.flatten(from: first, to: last) }
}
