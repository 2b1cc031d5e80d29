import Foundation
import Pando
import PandoData

/// What a step remembers beside weights and optimizer, on its way between the ranks and the first rank's checkpoints.
extension TrainingRun {
  /// A tensor as a checkpoint holds it.
  typealias Gathered = (name: String, buffer: HostBuffer)

  /// Brings what the ranks carry to the first one; all ranks call it.
  func gatherCarried() throws -> [Gathered] {
    var gathered: [Gathered] = []
    for tensor in program.carried {
      let type = tensor.buffer.type
      if tensor.spread == .same {
        if ranks.isFirst { gathered.append((tensor.name, tensor.buffer)) }
      } else if ranks.isFirst {
        gathered.append((tensor.name(of: 0), tensor.buffer))
        for rank in 1..<max(1, ranks.count) {
          let copy = HostBuffer(type)
          try withExtendedLifetime(copy) {
            try ranks.communicator?.receive(copy.mutableBytes, from: rank, label: tensor.name)
          }
          gathered.append((tensor.name(of: rank), copy))
        }
      } else {
        try ranks.communicator?.send(tensor.buffer.bytes, to: 0, label: tensor.name)
      }
    }
    return gathered
  }

  /// Gives every rank what it carried when a checkpoint was made; all ranks call it, the first with the checkpoint, if
  /// there is one. On another number of ranks what each had is shared out.
  ///
  /// - Throws: `DataError` where a file is damaged.
  func shareCarried(from found: CheckpointStore.Found?) throws {
    let carried = program.carried
    guard !carried.isEmpty else { return }
    let isThere =
      found?.manifest.files.contains { ShardPlan.isShard($0.name, of: StateCheckpoints.exchangeStem) }
      ?? false
    let reader = isThere ? try found.map { try ShardReader(StateCheckpoints.exchangeStem, of: $0) } : nil
    var saved = 0
    if let reader {
      while carried.contains(where: { $0.spread != .same && reader.holds($0.name(of: saved)) }) { saved += 1 }
    }
    var known: [Int] = [reader == nil ? 0 : 1, saved]
    try known.withUnsafeMutableBytes {
      try ranks.communicator?.broadcast($0, label: "what a checkpoint holds")
    }
    guard known[0] == 1 else { return }
    for tensor in carried {
      if tensor.spread == .same {
        try reader?.read(tensor.name, into: tensor.buffer)
        try broadcast(tensor)
      } else if known[1] == ranks.count {
        try deal(tensor, from: reader)
      } else {
        if let reader { try blend(tensor, from: reader, saved: known[1]) }
        try broadcast(tensor)
      }
    }
  }

  private func broadcast(_ tensor: CarriedTensor) throws {
    try ranks.communicator?.broadcast(tensor.buffer.mutableBytes, label: tensor.name)
  }

  /// Each rank gets its own.
  private func deal(_ tensor: CarriedTensor, from reader: ShardReader?) throws {
    guard let reader else {
      try ranks.communicator?.receive(tensor.buffer.mutableBytes, from: 0, label: tensor.name)
      return
    }
    try reader.read(tensor.name(of: 0), into: tensor.buffer)
    let copy = HostBuffer(tensor.buffer.type)
    for rank in 1..<max(1, ranks.count) {
      try reader.read(tensor.name(of: rank), into: copy)
      try withExtendedLifetime(copy) {
        try ranks.communicator?.send(copy.bytes, to: rank, label: tensor.name)
      }
    }
  }

  /// The equal share of what so many ranks had: of their sum or of their mean.
  private func blend(_ tensor: CarriedTensor, from reader: ShardReader, saved: Int) throws {
    guard saved > 0, tensor.buffer.type.dtype.isFloatingPoint else { return }
    var sum = [Double](repeating: 0, count: tensor.buffer.type.count)
    let copy = HostBuffer(tensor.buffer.type)
    for rank in 0..<saved {
      try reader.read(tensor.name(of: rank), into: copy)
      for (place, value) in copy.doubles.enumerated() { sum[place] += value }
    }
    let divisor = Double(tensor.spread == .mean ? saved : ranks.count)
    let share = HostBuffer(tensor.buffer.type, doubles: sum.map { $0 / divisor })
    withExtendedLifetime(share) { tensor.buffer.write(from: share.pointer) }
  }
}

extension ShardReader {
  /// Puts a whole tensor into a buffer of its type.
  fileprivate func read(_ name: String, into buffer: HostBuffer) throws {
    try withExtendedLifetime(buffer) {
      try read(TensorSlice(whole: name, buffer.type), into: buffer.mutableBytes)
    }
  }
}
