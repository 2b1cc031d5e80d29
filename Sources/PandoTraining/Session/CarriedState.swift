import Foundation
import Pando
import PandoData

/// What a step remembers beside weights and optimizer, on its way between the ranks and the first rank's checkpoints.
extension TrainingRun {
  /// A tensor as a checkpoint holds it.
  typealias Gathered = (name: String, buffer: HostBuffer)

  /// Brings what the ranks carry to the first one; all ranks call it. What every rank has of its own is called
  /// `rank-2/NAME`.
  func gatherCarried() throws -> [Gathered] {
    var gathered: [Gathered] = []
    for tensor in program.carried {
      let type = tensor.buffer.type
      if tensor.spread == .same {
        if ranks.isFirst { gathered.append((tensor.name, tensor.buffer)) }
      } else if ranks.isFirst {
        gathered.append((Self.name(tensor, of: 0), tensor.buffer))
        for rank in 1..<max(1, ranks.count) {
          let copy = HostBuffer(type)
          try withExtendedLifetime(copy) {
            try ranks.communicator?.receive(copy.mutableBytes, from: rank, label: tensor.name)
          }
          gathered.append((Self.name(tensor, of: rank), copy))
        }
      } else {
        try ranks.communicator?.send(tensor.buffer.bytes, to: 0, label: tensor.name)
      }
    }
    return gathered
  }

  /// Gives every rank what it carried when a checkpoint was made; all ranks call it, the first with the file, if there
  /// is one. On another number of ranks what each had is shared out.
  ///
  /// - Throws: `DataError` where the file is damaged.
  func shareCarried(from url: URL?) throws {
    let carried = program.carried
    guard !carried.isEmpty else { return }
    let file = try url.map { try SafetensorsFile(contentsOf: $0) }
    var saved = 0
    if let file {
      while carried.contains(where: { file.type(of: Self.name($0, of: saved)) != nil }) { saved += 1 }
    }
    var known: [Int] = [file == nil ? 0 : 1, saved]
    try known.withUnsafeMutableBytes {
      try ranks.communicator?.broadcast($0, label: "what a checkpoint holds")
    }
    guard known[0] == 1 else { return }
    for tensor in carried {
      if tensor.spread == .same {
        if let file { try Self.read(tensor.name, from: file, at: url, into: tensor.buffer) }
        try broadcast(tensor)
      } else if known[1] == ranks.count {
        try deal(tensor, from: file, at: url)
      } else {
        if let file { try blend(tensor, from: file, at: url, saved: known[1]) }
        try broadcast(tensor)
      }
    }
  }

  private static func name(_ tensor: CarriedTensor, of rank: Int) -> String { "rank-\(rank)/\(tensor.name)" }

  private func broadcast(_ tensor: CarriedTensor) throws {
    try ranks.communicator?.broadcast(tensor.buffer.mutableBytes, label: tensor.name)
  }

  /// Each rank gets its own.
  private func deal(_ tensor: CarriedTensor, from file: SafetensorsFile?, at url: URL?) throws {
    guard let file else {
      try ranks.communicator?.receive(tensor.buffer.mutableBytes, from: 0, label: tensor.name)
      return
    }
    try Self.read(Self.name(tensor, of: 0), from: file, at: url, into: tensor.buffer)
    let copy = HostBuffer(tensor.buffer.type)
    for rank in 1..<max(1, ranks.count) {
      try Self.read(Self.name(tensor, of: rank), from: file, at: url, into: copy)
      try withExtendedLifetime(copy) {
        try ranks.communicator?.send(copy.bytes, to: rank, label: tensor.name)
      }
    }
  }

  /// The equal share of what so many ranks had: of their sum or of their mean.
  private func blend(_ tensor: CarriedTensor, from file: SafetensorsFile, at url: URL?, saved: Int) throws {
    guard saved > 0, tensor.buffer.type.dtype.isFloatingPoint else { return }
    var sum = [Double](repeating: 0, count: tensor.buffer.type.count)
    let copy = HostBuffer(tensor.buffer.type)
    for rank in 0..<saved {
      try Self.read(Self.name(tensor, of: rank), from: file, at: url, into: copy)
      for (place, value) in copy.doubles.enumerated() { sum[place] += value }
    }
    let divisor = Double(tensor.spread == .mean ? saved : ranks.count)
    let share = HostBuffer(tensor.buffer.type, doubles: sum.map { $0 / divisor })
    withExtendedLifetime(share) { tensor.buffer.write(from: share.pointer) }
  }

  private static func read(
    _ name: String, from file: SafetensorsFile, at url: URL?, into buffer: HostBuffer
  ) throws {
    guard let type = file.type(of: name) else {
      throw DataError(.malformed, at: url?.path ?? "checkpoint", "lacks the tensor \(name)")
    }
    guard type == buffer.type else {
      throw DataError(
        .malformed, at: url?.path ?? "checkpoint", "\(name) is \(type), expected \(buffer.type)")
    }
    try file.withBytes(of: name) { bytes in
      if let base = bytes.baseAddress, bytes.count > 0 { buffer.write(from: base) }
    }
  }
}
