import PandoIR

/// Mean and standard deviation of a field over a whole source, for `Normalize`.
public struct FieldStatistics: Hashable, Sendable {
  /// What values are multiplied by before anything else.
  public let scale: Float
  /// Of the scaled values: one for all elements, or one for each index of the first dimension.
  public let mean: [Float]
  /// As many as `mean`; 1 where all values are equal.
  public let deviation: [Float]

  /// Known statistics.
  public init(scale: Float = 1, mean: [Float], deviation: [Float]) {
    self.scale = scale
    self.mean = mean
    self.deviation = deviation
  }

  /// Measures a `uint8` or `float32` field of every sample: each channel of `[channels, height, width]` and each
  /// element of `[columns]` by itself, all elements of other shapes together.
  ///
  /// - Throws: `DataError` where there is no such field, its type is another, or there are no samples.
  public static func measure(_ field: String, of source: any SampleSource, scale: Float = 1) throws
    -> FieldStatistics
  {
    let place = "field '\(field)'"
    guard let index = source.fields.firstIndex(where: { $0.name == field }), source.count > 0 else {
      throw DataError(.invalid, at: place, "does not exist, or there are no samples")
    }
    let type = source.fields[index].type
    guard type.dtype == .uint8 || type.dtype == .float32 else {
      throw DataError(.invalid, at: place, "is \(type), expected uint8 or float32")
    }
    let groups = type.rank == 3 || type.rank == 1 ? type.shape[0] : 1
    let size = type.count / max(groups, 1)
    var (sums, squares) = ([Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups))
    let buffers = source.fields.map {
      UnsafeMutableRawBufferPointer.allocate(byteCount: $0.type.byteCount, alignment: 64)
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    // Sums of differences from the first sample do not lose digits where the mean is far from zero.
    var origin: [Double] = []
    for sample in 0..<source.count {
      try source.copySample(sample, into: buffers)
      let bytes = UnsafeRawBufferPointer(buffers[index])
      if sample == 0 { origin = (0..<groups).map { element(bytes, $0 * size, type.dtype) } }
      for group in 0..<groups {
        let base = origin[group]
        var (sum, square) = (0.0, 0.0)
        for i in (group * size)..<((group + 1) * size) {
          let difference = element(bytes, i, type.dtype) - base
          sum += difference
          square += difference * difference
        }
        sums[group] += sum
        squares[group] += square
      }
    }
    let count = Double(source.count * size)
    let means = (0..<groups).map { origin[$0] + sums[$0] / count }
    let deviations = (0..<groups).map {
      max(squares[$0] / count - (sums[$0] / count) * (sums[$0] / count), 0).squareRoot()
    }
    return FieldStatistics(
      scale: scale, mean: means.map { Float($0 * Double(scale)) },
      deviation: deviations.map { $0 == 0 ? 1 : Float($0 * Double(scale)) })
  }

  @inline(__always)
  private static func element(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ dtype: DType) -> Double {
    dtype == .uint8
      ? Double(bytes[index]) : Double(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self))
  }
}

extension Normalize {
  /// Brings a field of these statistics to mean 0 and deviation 1.
  public init(_ field: String, _ statistics: FieldStatistics) {
    self.init(field, scale: statistics.scale, mean: statistics.mean, deviation: statistics.deviation)
  }
}
