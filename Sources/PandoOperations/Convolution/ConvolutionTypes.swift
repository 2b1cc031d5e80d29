import PandoIR

/// The three tensors of a convolution: x [N, C, spatial…], w [O, C / groups, kernel…] and y [N, O, spatial…], of which
/// each of the three operations makes one from the other two.
struct ConvolutionTypes {
  let x: TensorType
  let w: TensorType
  let y: TensorType
  let groups: Int

  /// Checks x and w against each other, and finds y.
  init(_ operation: any Operation, _ window: ConvolutionWindow, x: TensorType, w: TensorType)
    throws(TypeError)
  {
    try window.check(operation)
    try window.check(x, "x", operation)
    try window.check(w, "w", operation)
    guard x.dtype == w.dtype else { throw TypeError(operation, "cannot mix \(x) and \(w); convert one") }
    let (channels, overflow) = w.shape[1].multipliedReportingOverflow(by: window.groups)
    guard !overflow, x.shape[1] == channels else {
      throw TypeError(
        operation,
        "w \(w) in \(window.groups) groups takes \(w.shape[1]) channels for each group, got \(x.shape[1]) in all of \(x)"
      )
    }
    guard w.shape[0].isMultiple(of: window.groups) else {
      throw TypeError(
        operation, "the \(w.shape[0]) output channels of w \(w) must be a multiple of \(window.groups) groups"
      )
    }
    guard w.shape.dropFirst(2).allSatisfy({ $0 > 0 }) else {
      throw TypeError(
        operation, "the kernel must have at least one element along each spatial dimension, got \(w)")
    }
    let output = try window.outputSpatial(
      Array(x.shape.dropFirst(2)), kernel: Array(w.shape.dropFirst(2)), operation)
    self.x = x
    self.w = w
    y = x.with(shape: [x.shape[0], w.shape[0]] + output)
    groups = window.groups
  }

  /// The same, for a y that is given: its type must be the one that x and w lead to.
  init(_ operation: any Operation, _ window: ConvolutionWindow, x: TensorType, w: TensorType, y: TensorType)
    throws(TypeError)
  {
    try self.init(operation, window, x: x, w: w)
    guard y == self.y else {
      throw TypeError(operation, "dy must be \(self.y) for x \(x) and w \(w), got \(y)")
    }
  }

  /// Two floating-point operations for each product of an element of x and one of w, which is the same for all three.
  func cost(_ operands: [TensorType], _ results: [TensorType], kind: Cost.Kind) -> Cost {
    Cost(
      flops: 2 * y.count * w.shape.dropFirst().reduce(1, *), operands: operands, results: results,
      kind: kind)
  }

  /// Labels of x, w and y, and those of them that must stay whole: the spatial dimensions, and the channels where they
  /// are divided into groups.
  static func labels(_ window: ConvolutionWindow) -> (x: String, w: String, y: String, whole: Set<Character>)
  {
    let spatial = window.spatial
    let (input, kernel, output) = (
      ShardingRule.labels(spatial, from: 4), ShardingRule.labels(spatial, from: 4 + spatial),
      ShardingRule.labels(spatial, from: 4 + 2 * spatial)
    )
    let areas = Set(input + kernel + output)
    // a: samples, b: output channels, c: input channels, d: input channels of one group.
    return window.groups == 1
      ? ("ac" + input, "bc" + kernel, "ab" + output, areas)
      : ("ac" + input, "bd" + kernel, "ab" + output, areas.union("bcd"))
  }
}
