import Pando

/// A table of vectors, looked up by index. PyTorch: `nn.Embedding`.
///
/// Input `[…]`, int32 or int64, from 0 to `count - 1`; output `[…, features]`.
public struct Embedding: PureLayer {
  /// `[count, features]`
  public let weight: Parameter
  private let site: Site

  /// A table of `count` vectors of `features` elements.
  ///
  /// - Parameters:
  ///   - axes: names of the table's rows and of the features for parallel strategies.
  ///   - growth: how much wider the features are than in a base model.
  ///   - initializer: by default PyTorch's, standard normal.
  public init(
    _ count: Int, _ features: Int, axes: [String?] = ["vocabulary", "embed"],
    initializer: Initializer = .normal(deviation: 1), growth: WidthGrowth = .none, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(count > 0 && features > 0, "Embedding(\(count), \(features)) has no elements")
    weight = Parameter([count, features], initializer, axes: axes, growth: growth, dtype: dtype)
    site = Site(file, line)
  }

  public func callAsFunction(_ indices: Tensor) -> Tensor {
    embedding(indices, weight.tensor, file: site.file, line: site.line)
  }
}
