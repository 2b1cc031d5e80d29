import Foundation
import PandoData
import PandoIR

/// Tensors of a checkpoint, put together from however many shards there are.
package struct ShardReader {
  private let place: URL
  private var boxes: [String: [(slice: TensorSlice, file: SafetensorsFile)]] = [:]

  /// The shards of a checkpoint that are called `stem`.
  ///
  /// - Throws: `DataError` where a shard cannot be read, or says something impossible of its slices.
  package init(_ stem: String, of found: CheckpointStore.Found) throws {
    place = found.url
    for entry in found.manifest.files where ShardPlan.isShard(entry.name, of: stem) {
      let url = found.url.appending(path: entry.name)
      let file = try SafetensorsFile(contentsOf: url)
      for name in file.names {
        guard let type = file.type(of: name) else { continue }
        let slice: TensorSlice
        if let text = file.metadata[Self.key(name)] {
          guard let read = TensorSlice(name, text: text, boxType: type) else {
            throw DataError(.malformed, at: url.path, "\(name) is \(type), which is not the slice '\(text)'")
          }
          slice = read
        } else {
          slice = TensorSlice(whole: name, type)
        }
        boxes[name, default: []].append((slice, file))
      }
    }
  }

  /// Under which key a shard's metadata say which slice of a tensor it holds.
  private static func key(_ name: String) -> String { "slice \(name)" }

  /// The metadata of a shard with these slices.
  package static func metadata(_ slices: [TensorSlice]) -> [String: String] {
    var metadata = ["format": "pt"]
    for slice in slices where !slice.isWhole { metadata[key(slice.name)] = slice.text }
    return metadata
  }

  /// Whether there is any of a tensor.
  package func holds(_ name: String) -> Bool { boxes[name] != nil }

  /// Puts a tensor, or a slice of it, into memory.
  ///
  /// - Throws: `DataError` where it is of another type, or a part of it is in no shard or in two.
  package func read(_ wanted: TensorSlice, into bytes: UnsafeMutableRawBufferPointer) throws {
    try check(wanted.name, wanted.type)
    for (slice, file) in boxes[wanted.name]! {
      try file.withBytes(of: wanted.name) { slice.copy($0, to: wanted, bytes) }
    }
  }

  /// Makes sure that a tensor is there, all of it.
  package func check(_ name: String, _ type: TensorType) throws {
    guard let parts = boxes[name] else {
      throw DataError(.malformed, at: place.path, "lacks the tensor \(name)")
    }
    if let other = parts.first(where: { $0.slice.type != type }) {
      throw DataError(.malformed, at: place.path, "\(name) is \(other.slice.type), expected \(type)")
    }
    // The sizes are those of files, so they cannot overflow.
    let held = parts.reduce(0) { $0 + $1.slice.boxType.count }
    let isTwice = parts.indices.contains { first in
      parts[..<first].contains { $0.slice.overlap(parts[first].slice) > 0 }
    }
    guard held == type.count, !isTwice else {
      throw DataError(
        .malformed, at: place.path,
        isTwice
          ? "two shards hold the same part of \(name)"
          : "its shards hold \(held) of the \(type.count) elements of \(name)",
        mend: "use another checkpoint")
    }
  }
}
