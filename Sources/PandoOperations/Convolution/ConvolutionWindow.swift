import PandoIR

/// How the kernel of a convolution moves over its input, along one to three spatial dimensions.
public struct ConvolutionWindow: Hashable, Sendable, Codable {
  /// By how many elements the kernel moves along each spatial dimension.
  public let strides: [Int]
  /// How many zeros lie before the first element of each.
  public let low: [Int]
  /// How many lie behind the last.
  public let high: [Int]
  /// How far neighbours in the kernel lie apart in the input; 1 where they are neighbours there too.
  public let dilation: [Int]
  /// Into how many parts the channels are divided, each convolved on its own.
  public let groups: Int

  /// A window from one number for each spatial dimension.
  public init(strides: [Int], low: [Int], high: [Int], dilation: [Int], groups: Int = 1) {
    self.strides = strides
    self.low = low
    self.high = high
    self.dilation = dilation
    self.groups = groups
  }

  /// A window that is the same along each of `spatial` dimensions.
  public init(spatial: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1) {
    func each(_ number: Int) -> [Int] { Array(repeating: number, count: spatial) }
    self.init(
      strides: each(stride), low: each(padding), high: each(padding), dilation: each(dilation), groups: groups
    )
  }

  /// How many spatial dimensions there are.
  public var spatial: Int { strides.count }

  /// Checks what does not depend on the operands.
  func check(_ operation: any Operation) throws(TypeError) {
    guard (1...3).contains(spatial), [low, high, dilation].allSatisfy({ $0.count == spatial }) else {
      throw TypeError(
        operation,
        "strides \(strides), padding \(low) and \(high) and dilation \(dilation) must have one number for each of "
          + "one to three spatial dimensions")
    }
    guard strides.allSatisfy({ $0 > 0 }), dilation.allSatisfy({ $0 > 0 }),
      (low + high).allSatisfy({ $0 >= 0 })
    else {
      throw TypeError(
        operation,
        "strides \(strides) and dilation \(dilation) must be at least 1, padding \(low) and \(high) at least 0; "
          + "cut elements off with slice")
    }
    guard groups > 0 else { throw TypeError(operation, "there must be at least 1 group, got \(groups)") }
  }

  /// `type` must be floating point and have two dimensions in front of the spatial ones.
  func check(_ type: TensorType, _ role: String, _ operation: any Operation) throws(TypeError) {
    guard type.dtype.isFloatingPoint else {
      throw TypeError(operation, "\(role) must be floating point, got \(type); convert it first")
    }
    guard type.rank == spatial + 2 else {
      throw TypeError(
        operation,
        "\(role) must have \(spatial + 2) dimensions for a window over \(spatial), got \(type)")
    }
  }

  /// The sizes of the result's spatial dimensions.
  ///
  /// - Throws: `TypeError` where the kernel does not fit into the padded input.
  func outputSpatial(_ input: [Int], kernel: [Int], _ operation: any Operation) throws(TypeError) -> [Int] {
    var output: [Int] = []
    for dimension in 0..<spatial {
      guard
        let places = windowPlaces(
          count: input[dimension], size: kernel[dimension], stride: strides[dimension], low: low[dimension],
          high: high[dimension], dilation: dilation[dimension])
      else {
        throw TypeError(
          operation,
          "a kernel of \(kernel) with dilation \(dilation) does not fit into \(input) with padding \(low) before and "
            + "\(high) behind; make the kernel smaller or pad more")
      }
      output.append(places)
    }
    return output
  }
}

extension ConvolutionWindow {
  /// The kind of work that a convolution with this window is.
  package var costKind: Cost.Kind { isDense ? .convolution : .stridedConvolution }
  /// The kind of work that the gradient by its weights is.
  package var weightCostKind: Cost.Kind { isDense ? .weightConvolution : .stridedWeightConvolution }

  private var isDense: Bool { strides.allSatisfy { $0 == 1 } }
}
