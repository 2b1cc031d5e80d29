import PandoIR

/// This rank's place in its group, times a factor: int64 scalar.
public struct AxisIndex: CollectiveOperation {
  public static let name = "axis_index"
  public static let operandCount: Int? = 0

  public let axes: [String]
  public let parts: Int
  /// What the place is multiplied by: the size of a rank's part, where the first element of the part is wanted.
  public let factor: Int

  /// The place along `axes`, from 0 to `parts - 1`, times `factor`.
  public init(axes: [String], parts: Int, factor: Int = 1) {
    self.axes = axes
    self.parts = parts
    self.factor = factor
  }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkGroup()
    return [.scalar(.int64)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [] }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}
