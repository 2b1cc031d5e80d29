import PandoIR

/// Samples that are rows of arrays in memory: sample `i` is row `i` of each.
public struct ArraySource: SampleSource {
  /// How many samples there are.
  public let count: Int
  /// What each sample consists of.
  public let fields: [Field]
  private let arrays: [HostArray]
  private let rowBytes: [Int]

  /// A source with one field for each array, whose first dimension counts samples.
  ///
  /// - Throws: `DataError` where an array has no dimension, or arrays differ in their number of rows.
  public init(_ arrays: [(name: String, array: HostArray)], place: String = "arrays") throws {
    guard let first = arrays.first, let count = first.array.type.shape.first else {
      throw DataError(.invalid, at: place, "holds no array with a dimension for samples")
    }
    for (name, array) in arrays where array.type.shape.first != count {
      throw DataError(
        .invalid, at: place, "'\(name)' is \(array.type) but '\(first.name)' is \(first.array.type)",
        mend: "they must agree in the first size, the number of samples")
    }
    self.count = count
    self.arrays = arrays.map(\.array)
    fields = arrays.map { Field($0.name, $0.array.type.with(shape: Array($0.array.type.shape.dropFirst()))) }
    rowBytes = fields.map(\.type.byteCount)
  }

  /// Writes one sample; see `SampleSource`.
  public func copySample(
    _ index: Int, epoch _: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>
  ) {
    precondition(
      index >= 0 && index < count && buffers.count == arrays.count, "sample or buffers out of range")
    for field in 0..<arrays.count {
      let size = rowBytes[field]
      arrays[field].withUnsafeBytes { bytes in
        guard let source = bytes.baseAddress, let target = buffers[field].baseAddress else { return }
        target.copyMemory(from: source + index * size, byteCount: size)
      }
    }
  }
}

extension ArraySource {
  /// Pictures and their classes: fields `image` (`images` without its first dimension; pictures without a channel
  /// dimension get one, so `[height, width]` becomes `[1, height, width]`) and `label` (`int32[]`).
  ///
  /// - Parameters:
  ///   - images: `[samples, height, width]` or `[samples, channels, height, width]`.
  ///   - labels: `[samples]`, whole numbers in `0..<classCount`.
  ///   - place: the file, for messages.
  /// - Throws: `DataError` where sizes differ or a label is out of range (which sample is named).
  public static func images(
    _ images: HostArray, labels: HostArray, classCount: Int, place: String
  ) throws -> ArraySource {
    var shape = images.type.shape
    guard shape.count == 3 || shape.count == 4 else {
      throw DataError(
        .invalid, at: place, "images are \(images.type)",
        mend: "expected [samples, height, width] or [samples, channels, height, width]")
    }
    if shape.count == 3 { shape.insert(1, at: 1) }
    let classes = try classLabels(labels, classCount: classCount, place: place)
    return try ArraySource([("image", images.reshaped(shape)), ("label", classes)], place: place)
  }

  /// Labels as `int32[samples]`, each checked to lie in `0..<classCount`.
  package static func classLabels(_ labels: HostArray, classCount: Int?, place: String) throws -> HostArray {
    guard labels.type.rank == 1 else {
      throw DataError(
        .invalid, at: place, "labels are \(labels.type)", mend: "expected one label for each sample")
    }
    let limit = Double(classCount ?? Int(Int32.max))
    var classes: [Int32] = []
    classes.reserveCapacity(labels.type.count)
    for (index, label) in try labels.doubles(place: place).enumerated() {
      guard label >= 0, label < limit, label == label.rounded() else {
        let range = classCount.map { "0 to \($0 - 1)" } ?? "whole numbers from 0"
        let text = label == label.rounded() && abs(label) < 1e15 ? String(Int(label)) : String(label)
        throw DataError(
          .invalid, at: place, "label \(text) of sample \(index) is out of range, expected \(range)")
      }
      classes.append(Int32(label))
    }
    return HostArray(classes)
  }
}

extension CSVTable {
  /// The table's records as samples: fields `features` (`float32[columns]`) and `label` (`int32[]`, or `float32[]`
  /// where labels are numbers).
  public func source() throws -> ArraySource {
    try ArraySource([("features", features), ("label", labels)], place: "table")
  }
}
