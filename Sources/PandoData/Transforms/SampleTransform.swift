import PandoIR

/// Turns one field of a sample into another of the same name, as samples are loaded.
///
/// A transform is a value and keeps no state: what is random in it comes from `random` alone.
public protocol SampleTransform: Sendable {
  /// The name of the field it maps.
  var field: String { get }

  /// The type that the field has afterwards.
  ///
  /// - Throws: `DataError` where the transform cannot take `input`.
  func outputType(for input: TensorType) throws -> TensorType

  /// Maps one sample. `input` holds a tensor of `type`, `output` has room for one of `outputType(for: type)`, and
  /// they do not overlap.
  func apply(
    _ input: UnsafeRawPointer, type: TensorType, into output: UnsafeMutableRawPointer,
    random: inout SampleRandom)
}

/// How pictures lie in memory: `[channels, height, width]`, or `[height, width]` as one channel.
struct ImageLayout {
  let channels: Int
  let height: Int
  let width: Int
  let elementBytes: Int

  init(_ type: TensorType) {
    let shape = type.shape
    width = shape[shape.count - 1]
    height = shape[shape.count - 2]
    channels = shape.count == 3 ? shape[0] : 1
    elementBytes = type.dtype.byteCount
  }

  /// Checks that `type` is that of a picture.
  static func check(_ type: TensorType, for transform: String, field: String) throws {
    guard type.rank == 2 || type.rank == 3, type.count > 0 else {
      throw DataError(
        .invalid, at: "transform \(transform) of field '\(field)'", "cannot take \(type)",
        mend: "expected [height, width] or [channels, height, width]")
    }
  }
}

/// `type` with other sizes in its last two dimensions.
func resized(_ type: TensorType, height: Int, width: Int) -> TensorType {
  type.with(shape: Array(type.shape.dropLast(2)) + [height, width])
}
