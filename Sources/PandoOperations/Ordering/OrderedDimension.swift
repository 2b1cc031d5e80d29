import PandoIR

extension Operation {
  /// `dimension` must be one of `x`, small enough for its places to be numbered by int32.
  func checkOrdered(_ dimension: Int, of x: TensorType) throws(TypeError) {
    guard x.shape.indices.contains(dimension) else {
      throw TypeError(self, "\(x) has no dimension \(dimension)")
    }
    guard x.shape[dimension] <= Int(Int32.max) else {
      throw TypeError(
        self, "dimension \(dimension) of \(x) has more places than int32 can number; split it first")
    }
  }
}

extension GraphBuilder {
  /// The gradient of elements that were taken along `dimension` by `indices` of the same shape as their cotangent.
  ///
  /// - Parameter size: how many elements there were to take from.
  mutating func returnTaken(
    _ cotangent: Value, by indices: Value, along dimension: Int, of size: Int
  ) throws(TypeError) -> Value {
    let last = cotangent.type.rank - 1
    let order = (0...last).filter { $0 != dimension } + [dimension]
    var inverse = order
    for (to, from) in order.enumerated() { inverse[from] = to }
    let gradient = try emit(
      GatherGradient(axis: last, batchDimensions: last, size: size), transpose(indices, order),
      transpose(cotangent, order))
    return try transpose(gradient, inverse)
  }
}
