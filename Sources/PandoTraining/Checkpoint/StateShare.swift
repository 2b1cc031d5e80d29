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

  /// What a rank writes of a tensor: a slice of the box that it holds.
  private struct Held {
    let entry: Int
    let box: TensorSlice
    let slice: TensorSlice

    /// Where the slice begins in the box's memory: a slice of whole rows lies together.
    var start: Int {
      let rowBytes = slice.shape.dropFirst().reduce(slice.type.dtype.byteCount, *)
      return ((slice.offset.first ?? 0) - (box.offset.first ?? 0)) * rowBytes
    }
  }

  private let buffers: [HostBuffer]
  private let copy: HostBuffer?
  private let model: [Piece]
  private let optimizer: [Piece]
  private let exchange: [Piece]

  /// The part of `rank` in what all ranks hold, each its part.
  ///
  /// - Parameters:
  ///   - carried: what the rank remembers beside the state; empty where that is saved otherwise.
  ///   - writers: the ranks that write; together they hold all of the state.
  ///   - copies: whether what is written is a copy.
  ///   - offload: where the optimizer's tensors lie; the copy lies in a file too where they do.
  /// - Throws: `OffloadError` where such a file cannot be made.
  init(
    _ state: TrainingState, _ carried: [CarriedTensor], _ shards: ParameterShards, rank: Int, writers: [Int],
    copies: Bool, offload: StateOffload = StateOffload()
  ) throws {
    let held = Self.held(shards, weights: state.weights.count, rank: rank, writers: writers)
    let remembered = Self.held(carried, rank: rank, writers: writers)
    let buffers = state.entries.map(\.buffer) + carried.map(\.buffer)
    let all = held + remembered
    let file =
      try copies && offload.holdsState
      ? offload.file(byteCount: all.reduce(0) { $0 + OffloadFile.aligned($1.slice.boxType.byteCount) }) : nil
    let copy = copies && file == nil ? HostBuffer(TensorType([Self.byteCount(of: all)], .uint8)) : nil
    (self.buffers, self.copy) = (buffers, copy)
    var place = 0
    func piece(_ held: Held, _ buffer: HostBuffer) -> Piece {
      let count = held.slice.boxType.byteCount
      let source = UnsafeRawPointer(buffer.pointer) + held.start
      let own = file.map { HostBuffer(TensorType([count], .uint8), in: $0) }
      let bytes = UnsafeRawBufferPointer(
        start: copy.map { UnsafeRawPointer($0.pointer) + place }
          ?? own.map { UnsafeRawPointer($0.pointer) } ?? source, count: count)
      place += count
      return Piece(slice: held.slice, source: source, bytes: bytes, tensor: buffer, copy: own)
    }
    let pieces = held.map { piece($0, buffers[$0.entry]) }
    let weights = held.count { $0.entry < state.weights.count }
    (model, optimizer) = (Array(pieces[..<weights]), Array(pieces[weights...]))
    exchange = remembered.map { piece($0, carried[$0.entry].buffer) }
    // The first copy touches memory for the first time, which takes several times as long as the next ones.
    snapshot()
  }

  /// All of a state that one process has whole.
  init(whole: TrainingState.Whole) {
    (buffers, copy) = ((whole.weights + whole.slots).map(\.buffer), nil)
    func pieces(_ entries: [TrainingState.Entry]) -> [Piece] {
      entries.map {
        Piece(
          slice: TensorSlice(whole: $0.name, $0.type), source: UnsafeRawPointer($0.buffer.pointer),
          bytes: UnsafeRawBufferPointer($0.buffer.bytes), tensor: $0.buffer, copy: nil)
      }
    }
    (model, optimizer, exchange) = (pieces(whole.weights), pieces(whole.slots), [])
  }

  /// What a rank writes of what ranks remember: all of its own, and its share of what all have alike.
  private static func held(_ carried: [CarriedTensor], rank: Int, writers: [Int]) -> [Held] {
    let alike = carried.indices.filter { carried[$0].spread == .same }
    let boxes = alike.map { TensorSlice(whole: carried[$0].name, carried[$0].buffer.type) }
    let places = Dictionary(uniqueKeysWithValues: zip(boxes.map(\.name), boxes.indices))
    let shared = ShardPlan.slices(of: boxes, writer: writers.firstIndex(of: rank)!, of: writers.count).map {
      let place = places[$0.name]!
      return Held(entry: alike[place], box: boxes[place], slice: $0)
    }
    let own = carried.indices.filter { carried[$0].spread != .same }.map {
      let slice = TensorSlice(whole: carried[$0].name(of: rank), carried[$0].buffer.type)
      return Held(entry: $0, box: slice, slice: slice)
    }
    return shared + own
  }

  /// What a rank writes of the state, in its order: of the weights, and of the optimizer's tensors behind them, which go
  /// into another file. Those who hold the same boxes divide them among each other.
  private static func held(_ shards: ParameterShards, weights: Int, rank: Int, writers: [Int]) -> [Held] {
    [0..<weights, weights..<shards.entries.count].flatMap {
      held(shards, $0, rank: rank, writers: Set(writers))
    }
  }

  private static func held(
    _ shards: ParameterShards, _ range: Range<Int>, rank: Int, writers: Set<Int>
  ) -> [Held] {
    var groups: [[Int]: [Int]] = [:]
    for index in range {
      let entry = shards.entries[index]
      let savers = shards.savers(of: entry, rank: rank).filter(writers.contains)
      if savers.contains(rank) { groups[savers, default: []].append(index) }
    }
    let held = groups.flatMap { savers, indices in
      let boxes = indices.map { index in
        let (entry, part) = (shards.entries[index], shards.part(of: shards.entries[index], rank: rank)!)
        return TensorSlice(entry.name, of: entry.type, offset: part.starts, shape: part.shape)!
      }
      let places = Dictionary(uniqueKeysWithValues: zip(boxes.map(\.name), boxes.indices))
      return ShardPlan.slices(of: boxes, writer: savers.firstIndex(of: rank)!, of: savers.count).map {
        let place = places[$0.name]!
        return Held(entry: indices[place], box: boxes[place], slice: $0)
      }
    }
    return held.sorted { $0.entry < $1.entry }
  }

  private static func byteCount(of held: [Held]) -> Int {
    held.reduce(0) { $0 + $1.slice.boxType.byteCount }
  }

  /// Bytes that a rank's copy of what it remembers takes.
  static func copyBytes(_ carried: [CarriedTensor], rank: Int, of ranks: Int) -> Int {
    byteCount(of: held(carried, rank: rank, writers: Array(0..<ranks)))
  }

  /// Bytes that a rank's copy of the state takes where all ranks write.
  static func copyBytes(_ state: TrainingState, rank: Int, of ranks: Int) -> Int {
    byteCount(
      of: held(
        state.shards(ranks: ranks), weights: state.weights.count, rank: rank, writers: Array(0..<ranks)))
  }

  /// Takes the copy, where there is one.
  func snapshot() {
    for piece in model + optimizer + exchange where copy != nil || piece.copy != nil {
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

  /// Writes what the rank remembers beside the state, as it was at the last `snapshot`.
  func writeExchange(to url: URL) throws { try write(exchange, to: url) }

  /// Whether the rank has anything to write of what it remembers.
  var holdsExchange: Bool { !exchange.isEmpty }

  private func write(_ pieces: [Piece], to url: URL) throws {
    try withExtendedLifetime((buffers, copy)) {
      try SafetensorsWriter.write(
        pieces.map { ($0.slice.name, $0.slice.boxType, $0.bytes) },
        metadata: ShardReader.metadata(pieces.map(\.slice)), to: url,
        didWrite: { (pieces[$0].copy ?? pieces[$0].tensor).release() })
    }
  }
}
