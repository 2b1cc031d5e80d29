import Foundation
import PandoData
import PandoIR

extension CheckpointStore.Found {
  /// Writes all weights and statistics into one safetensors file, however many shards hold them.
  ///
  /// - Throws: `DataError` where a shard does not hold what it should, or the file cannot be written.
  public func merge(to url: URL) throws {
    let reader = try ShardReader(StateCheckpoints.modelStem, of: self)
    // What the shards really hold is checked before there is memory for it.
    for tensor in manifest.parameters { try reader.check(tensor.name, tensor.type) }
    let total = manifest.parameters.reduce(0) { $0 + $1.type.byteCount }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, total), alignment: 64)
    defer { memory.deallocate() }
    var place = 0
    var tensors: [SafetensorsWriter.Tensor] = []
    for tensor in manifest.parameters {
      let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[place..<place + tensor.type.byteCount])
      try reader.read(TensorSlice(whole: tensor.name, tensor.type), into: bytes)
      tensors.append((tensor.name, tensor.type, UnsafeRawBufferPointer(bytes)))
      place += tensor.type.byteCount
    }
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: url)
  }
}
