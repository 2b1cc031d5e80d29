import Foundation
import Pando
import PandoData
import PandoIR

/// The part of a run's state that one rank writes, and where there is room for one, a copy of it: what is written while
/// the run goes on.
final class StateShare {
  /// A slice and where its bytes are: in the state, or in the copy.
  private struct Piece {
    let slice: TensorSlice
    let source: UnsafeRawPointer
    let bytes: UnsafeRawBufferPointer
    /// The tensor of which it is a part, and the copy's own buffer where that lies in a file.
    let tensor: HostBuffer
    let copy: HostBuffer?

  }

  private let whole: TrainingState.Whole
  private let copy: HostBuffer?
  private let model: [Piece]
  private let optimizer: [Piece]

  /// - Parameters:
  ///   - whole: weights and optimizer tensors, with buffers of all of each.
  ///   - writer: which of `writers` this is.
  ///   - copies: whether what is written is a copy.
  ///   - offload: where the optimizer's tensors lie; the copy lies in a file too where they do.
  /// - Throws: `OffloadError` where such a file cannot be made.
  init(
    _ whole: TrainingState.Whole, writer: Int, of writers: Int, copies: Bool,
    offload: StateOffload = StateOffload()
  ) throws {
    self.whole = whole
    let parts = [whole.weights, whole.slots].map { entries in
      (entries, Self.slices(of: entries, writer: writer, of: writers))
    }
    let count = parts.reduce(0) { $0 + Self.byteCount(of: $1.1) }
    let file =
      try copies && offload.holdsState
      ? offload.file(
        byteCount: parts.reduce(0) { $1.1.reduce($0) { $0 + OffloadFile.aligned($1.boxType.byteCount) } })
      : nil
    copy = copies && file == nil ? HostBuffer(TensorType([count], .uint8)) : nil
    var place = 0
    let pieces = parts.map { [copy] entries, slices in
      let buffers = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.buffer) })
      return slices.map { slice in
        // A slice of whole rows lies together.
        let count = slice.boxType.byteCount
        let rowBytes = slice.shape.dropFirst().reduce(slice.type.dtype.byteCount, *)
        let own = file.map { HostBuffer(TensorType([count], .uint8), in: $0) }
        let source = UnsafeRawPointer(buffers[slice.name]!.pointer) + (slice.offset.first ?? 0) * rowBytes
        let bytes = UnsafeRawBufferPointer(
          start: copy.map { UnsafeRawPointer($0.pointer) + place }
            ?? own.map { UnsafeRawPointer($0.pointer) } ?? source, count: count)
        place += count
        return Piece(
          slice: slice, source: source, bytes: bytes, tensor: buffers[slice.name]!, copy: own)
      }
    }
    (model, optimizer) = (pieces[0], pieces[1])
    // The first copy touches memory for the first time, which takes several times as long as the next ones.
    snapshot()
  }

  private static func slices(of entries: [TrainingState.Entry], writer: Int, of writers: Int) -> [TensorSlice]
  {
    ShardPlan.slices(of: entries.map { ($0.name, $0.buffer.type) }, writer: writer, of: writers)
  }

  private static func byteCount(of slices: [TensorSlice]) -> Int {
    slices.reduce(0) { $0 + $1.boxType.byteCount }
  }

  /// Bytes that a rank's copy takes.
  static func copyBytes(_ state: TrainingState, writer: Int, of writers: Int) -> Int {
    [state.weights, state.slots.flatMap { $0 }].reduce(0) {
      $0 + byteCount(of: slices(of: $1, writer: writer, of: writers))
    }
  }

  /// Takes the copy, where there is one.
  func snapshot() {
    for piece in model + optimizer where copy != nil || piece.copy != nil {
      UnsafeMutableRawPointer(mutating: piece.bytes.baseAddress!)
        .copyMemory(from: piece.source, byteCount: piece.bytes.count)
      // No more of what lies in files is in memory than one tensor and its copy.
      piece.tensor.release()
      piece.copy?.release()
    }
  }

  /// Writes the weights, as they were at the last `snapshot`.
  func writeModel(to url: URL) throws { try write(model, to: url) }

  /// Writes the optimizer's tensors, as they were at the last `snapshot`.
  func writeOptimizer(to url: URL) throws { try write(optimizer, to: url) }

  private func write(_ pieces: [Piece], to url: URL) throws {
    try withExtendedLifetime((whole, copy)) {
      try SafetensorsWriter.write(
        pieces.map { ($0.slice.name, $0.slice.boxType, $0.bytes) },
        metadata: ShardReader.metadata(pieces.map(\.slice)), to: url,
        didWrite: { (pieces[$0].copy ?? pieces[$0].tensor).release() })
    }
  }
}
