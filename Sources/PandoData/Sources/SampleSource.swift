import PandoIR

/// One named part of every sample, such as `image` or `label`.
public struct Field: Hashable, Sendable, CustomStringConvertible {
  /// The name by which a training program asks for it.
  public let name: String
  /// The type of one sample's part, without a batch dimension.
  public let type: TensorType

  /// A field of one sample.
  public init(_ name: String, _ type: TensorType) {
    self.name = name
    self.type = type
  }

  /// `image: uint8[1,28,28]`
  public var description: String { "\(name): \(type)" }
}

/// Samples that can be read in any order: a data set, or a part of one.
public protocol SampleSource: Sendable {
  /// How many samples there are.
  var count: Int { get }
  /// What each sample consists of. Every sample has the same types.
  var fields: [Field] { get }
  /// Writes sample `index` (in `0..<count`) to `buffers`, one per field and of exactly its size.
  ///
  /// `epoch` counts passes over the data from 0; a source may vary the sample with it, but must give the same
  /// bytes for the same index and epoch, on any thread.
  func copySample(_ index: Int, epoch: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>)
    throws
}

extension SampleSource {
  /// Writes sample `index` as it is in epoch 0.
  public func copySample(_ index: Int, into buffers: [UnsafeMutableRawBufferPointer]) throws {
    try buffers.withUnsafeBufferPointer { try copySample(index, epoch: 0, into: $0) }
  }

  /// The field called `name`; `nil` where there is none.
  public func field(_ name: String) -> Field? { fields.first { $0.name == name } }

  /// One field of one sample as an array of its own, for looking at single samples.
  ///
  /// - Throws: `DataError` where there is no such field or sample.
  public func sample(_ index: Int, field name: String, epoch: Int = 0) throws -> HostArray {
    guard (0..<count).contains(index) else {
      throw DataError(.invalid, at: "sample \(index)", "does not exist: there are \(count)")
    }
    guard let wanted = fields.firstIndex(where: { $0.name == name }) else {
      let near = nearestName(to: name, among: fields.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw DataError(.notFound, at: "field '\(name)'", "does not exist\(near)")
    }
    return try HostArray(type: fields[wanted].type) { bytes in
      var buffers = fields.map {
        UnsafeMutableRawBufferPointer.allocate(byteCount: $0.type.byteCount, alignment: 64)
      }
      let spare = buffers[wanted]
      defer { for (index, buffer) in buffers.enumerated() where index != wanted { buffer.deallocate() } }
      spare.deallocate()
      buffers[wanted] = bytes
      try buffers.withUnsafeBufferPointer { try copySample(index, epoch: epoch, into: $0) }
    }
  }
}
