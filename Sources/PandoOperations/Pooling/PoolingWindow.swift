import PandoIR

/// How the window of a pooling moves over the dimensions behind samples and channels.
public struct PoolingWindow: Hashable, Sendable, Codable {
  /// How many elements the window has along each spatial dimension.
  public let size: [Int]
  /// By how many it moves.
  public let strides: [Int]
  /// How much padding lies before the first element; less than the window reaches.
  public let low: [Int]
  /// How much lies behind the last; less than the window reaches too.
  public let high: [Int]
  /// How far neighbours in the window lie apart in the input; 1 where they are neighbours there too.
  public let dilation: [Int]

  /// A window from one number for each spatial dimension; windows follow on each other unless strides are given.
  public init(
    size: [Int], strides: [Int]? = nil, low: [Int]? = nil, high: [Int]? = nil, dilation: [Int]? = nil
  ) {
    self.size = size
    self.strides = strides ?? size
    self.low = low ?? size.map { _ in 0 }
    self.high = high ?? size.map { _ in 0 }
    self.dilation = dilation ?? size.map { _ in 1 }
  }

  /// How many spatial dimensions there are.
  public var spatial: Int { size.count }

  /// The number of elements in a window, padding included.
  public var count: Int { size.reduce(1, *) }

  /// The spatial sizes to which a pooling brings spatial sizes `input`; ⌊(input + low + high - size) / stride⌋ + 1 each.
  ///
  /// - Throws: `TypeError` where the window is none, or does not fit into the padded input.
  func outputSpatial(_ input: [Int], _ operation: any Operation) throws(TypeError) -> [Int] {
    guard spatial > 0, [strides, low, high, dilation].allSatisfy({ $0.count == spatial }) else {
      throw TypeError(
        operation,
        "size \(size), strides \(strides), padding \(low) and \(high) and dilation \(dilation) must have one number "
          + "for each spatial dimension")
    }
    guard (size + strides + dilation).allSatisfy({ $0 > 0 }) else {
      throw TypeError(
        operation, "size \(size), strides \(strides) and dilation \(dilation) must be at least 1")
    }
    for dimension in 0..<spatial {
      let (reach, overflow) = (size[dimension] - 1).multipliedReportingOverflow(by: dilation[dimension])
      guard !overflow, (0...reach).contains(low[dimension]), (0...reach).contains(high[dimension]) else {
        throw TypeError(
          operation,
          "padding \(low) and \(high) must be at least 0 and less than the window reaches, \(size) with dilation "
            + "\(dilation): a window must not lie beside the input")
      }
    }
    guard input.count == spatial else {
      throw TypeError(
        operation,
        "a window over \(spatial) spatial dimensions takes [samples, channels] and as many, got \(input)")
    }
    var output: [Int] = []
    for dimension in 0..<spatial {
      guard input[dimension] > 0,
        let places = windowPlaces(
          count: input[dimension], size: size[dimension], stride: strides[dimension], low: low[dimension],
          high: high[dimension], dilation: dilation[dimension])
      else {
        throw TypeError(
          operation,
          "a window of \(size) with dilation \(dilation) does not fit into \(input) with padding \(low) before and \(high) behind; "
            + "make the window smaller or pad more")
      }
      output.append(places)
    }
    return output
  }

  /// The type to which a pooling brings `x`, which must be [samples, channels, spatial…] of floating point.
  func output(_ x: TensorType, _ operation: any Operation) throws(TypeError) -> TensorType {
    guard x.dtype.isFloatingPoint else {
      throw TypeError(operation, "x must be floating point, got \(x); convert it first")
    }
    guard x.rank == spatial + 2 else {
      throw TypeError(
        operation,
        "x must be [samples, channels] and \(spatial) spatial dimensions for the window \(size), got \(x)")
    }
    return x.with(shape: x.shape.prefix(2) + (try outputSpatial(Array(x.shape.dropFirst(2)), operation)))
  }

  /// `type` must be what a pooling brings `x` to.
  func check(_ type: TensorType, from x: TensorType, _ role: String, _ operation: any Operation)
    throws(TypeError)
  {
    let expected = try output(x, operation)
    guard type == expected else {
      throw TypeError(operation, "\(role) must be \(expected) for x \(x), got \(type)")
    }
  }

  /// Labels of x and of what it is brought to: samples and channels are independent, spatial dimensions whole.
  func labels() -> (x: String, y: String, whole: Set<Character>) {
    let (input, output) = (
      ShardingRule.labels(spatial, from: 2), ShardingRule.labels(spatial, from: 2 + spatial)
    )
    return ("ab" + input, "ab" + output, Set(input + output))
  }

  /// One floating-point operation for each element of each window.
  func cost(_ y: TensorType, _ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: y.count * count, operands: operands, results: results)
  }
}
