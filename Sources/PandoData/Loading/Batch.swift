import PandoIR

/// One field of a batch, in memory that the loader owns.
public struct BatchField {
  /// The field's name.
  public let name: String
  /// The samples' type with the batch size as first dimension.
  public let type: TensorType
  /// The elements, row-major, aligned to 64 bytes; valid until the batch is recycled.
  public let pointer: UnsafeMutableRawPointer
  /// The elements' bytes.
  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: pointer, count: type.byteCount)
  }
}

/// Samples made ready for one step. Give it back with `BatchLoader.recycle` once it has been used.
public struct Batch {
  /// The global position of its first sample.
  public let position: Int
  /// How many samples, from the front, belong to the data; the others repeat the last one. Only the last batch of
  /// a single pass can have fewer than its size.
  public let validCount: Int
  /// The fields, in the order that the transforms leave them.
  public var fields: [BatchField] { slot.fields }

  /// When the loader's thread began to fill it, and when it was done.
  public var preparation: ClosedRange<ContinuousClock.Instant>? { slot.preparation }

  let slot: BatchSlot

  /// The field called `name`; `nil` where there is none.
  public subscript(name: String) -> BatchField? { slot.fields.first { $0.name == name } }
}

/// The memory of one batch in the ring. Batches keep it alive, so a batch outlives its loader.
final class BatchSlot: @unchecked Sendable {
  let fields: [BatchField]
  /// Set by the loader's thread before it hands the slot over under the loader's lock.
  var position = 0
  var validCount = 0
  var preparation: ClosedRange<ContinuousClock.Instant>?
  /// Whether a batch of it is in the user's hands; changed under the loader's lock only.
  var isLent = false

  init(fields: [Field], batchSize: Int) {
    self.fields = fields.map { field in
      let type = field.type.with(shape: [batchSize] + field.type.shape)
      let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(type.byteCount, 1), alignment: 64)
      return BatchField(name: field.name, type: type, pointer: pointer)
    }
  }

  deinit { for field in fields { field.pointer.deallocate() } }
}
