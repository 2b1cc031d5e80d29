import Foundation
import PandoIR

/// Where one tensor lies in a safetensors file.
package struct SafetensorsEntry: Sendable {
  package let type: TensorType
  /// Byte offsets from the end of the header.
  package let range: Range<Int>
}

extension DType {
  /// Every element type that we have, with the name that safetensors gives it.
  package static let safetensorsNames: [(dtype: DType, name: String)] = [
    (.float32, "F32"), (.float64, "F64"), (.bfloat16, "BF16"), (.float16, "F16"), (.int32, "I32"),
    (.int64, "I64"), (.int8, "I8"), (.uint8, "U8"), (.bool, "BOOL"),
  ]

  /// The name that safetensors gives this element type.
  package var safetensorsName: String {
    guard let pair = Self.safetensorsNames.first(where: { $0.dtype == self }) else {
      preconditionFailure("\(self) has no safetensors name")
    }
    return pair.name
  }

  /// The element type that safetensors calls `name`; `nil` where we have none.
  package init?(safetensorsName name: String) {
    guard let pair = Self.safetensorsNames.first(where: { $0.name == name }) else { return nil }
    self = pair.dtype
  }
}

/// The JSON at the start of a safetensors file: name → type, shape, place; and free text under `__metadata__`.
package struct SafetensorsHeader: Sendable {
  package static let metadataKey = "__metadata__"
  /// The reference implementation refuses longer headers, and so do we, before reading one.
  package static let longest = 100_000_000

  package var entries: [String: SafetensorsEntry] = [:]
  package var metadata: [String: String] = [:]

  /// Reads the header's JSON; the tensors must tile the `dataCount` bytes after it, in some order.
  package init(json: Data, dataCount: Int, place: String) throws {
    let raw: RawHeader
    do { raw = try JSONDecoder().decode(RawHeader.self, from: json) } catch {
      throw DataError(
        .malformed, at: place, "its safetensors header is not valid: \(Self.reason(error))",
        mend: "get it again")
    }
    metadata = raw.metadata
    for (name, tensor) in raw.tensors {
      entries[name] = try Self.entry(tensor, name: name, dataCount: dataCount, place: place)
    }
    try requireTiling(dataCount: dataCount, place: place)
  }

  private static func entry(
    _ raw: RawTensor, name: String, dataCount: Int, place: String
  ) throws -> SafetensorsEntry {
    let place = "\(place), tensor \(name)"
    guard let known = DType(safetensorsName: raw.dtype) else {
      let names = DType.safetensorsNames.map(\.name).joined(separator: ", ")
      throw DataError(
        .unsupported, at: place, "has element type \(raw.dtype); known are \(names)",
        mend: "convert the tensor")
    }
    guard raw.offsets.count == 2, let start = raw.offsets.first, let end = raw.offsets.last,
      0 <= start, start <= end, end <= dataCount
    else {
      throw DataError(
        .malformed, at: place, "lies at bytes \(raw.offsets), outside the file's \(dataCount) bytes of data",
        mend: "the file is truncated or corrupt: get it again")
    }
    let type = TensorType(raw.shape, known)
    guard let byteCount = checkedByteCount(raw.shape, width: known.byteCount),
      byteCount == end - start
    else {
      throw DataError(.malformed, at: place, "\(type) does not fit the \(end - start) bytes it is given")
    }
    return SafetensorsEntry(type: type, range: start..<end)
  }

  /// Overlaps and gaps are refused, as the format demands: they can hide data or be read as another tensor's.
  private func requireTiling(dataCount: Int, place: String) throws {
    var end = 0
    let ordered = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    for (name, entry) in ordered {
      guard entry.range.lowerBound == end else {
        let fault = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
        throw DataError(
          .malformed, at: "\(place), tensor \(name)",
          "starts at byte \(entry.range.lowerBound) "
            + "of the data, where \(end) was expected: it \(fault)", mend: "get it again")
      }
      end = entry.range.upperBound
    }
    guard end == dataCount else {
      throw DataError(
        .malformed, at: place, "holds \(dataCount) bytes of data, but its tensors take \(end)",
        mend: "get it again")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "it is not JSON" : "\(path): \(context.debugDescription)"
    case .keyNotFound(let key, let context):
      return "\(context.codingPath.map(\.stringValue).joined(separator: ".")) lacks \(key.stringValue)"
    default: return "it is not JSON"
    }
  }
}

private struct RawTensor: Decodable {
  let dtype: String
  let shape: [Int]
  let offsets: [Int]

  enum CodingKeys: String, CodingKey {
    case dtype, shape
    case offsets = "data_offsets"
  }
}

private struct RawHeader: Decodable {
  var tensors: [String: RawTensor] = [:]
  var metadata: [String: String] = [:]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    for key in container.allKeys {
      if key.stringValue == SafetensorsHeader.metadataKey {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        tensors[key.stringValue] = try container.decode(RawTensor.self, forKey: key)
      }
    }
  }
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue _: Int) { nil }
}
