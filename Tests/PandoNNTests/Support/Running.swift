import Pando
import PandoNN

/// A tensor's stand-in and its numbers.
typealias Feed = (placeholder: Tensor, buffer: HostBuffer)

/// Computes tensors from the numbers of the placeholders that they depend on.
func run(_ outputs: [Tensor], _ feeds: [Feed], on device: Device) throws -> [HostBuffer] {
  let program = try Program(outputs, inputs: feeds.map(\.placeholder), on: device, verify: true)
  let results = outputs.map { HostBuffer($0.type) }
  program.bind(feeds.map(\.buffer), into: results)
  try program.run()
  return results
}

/// A placeholder with numbers from a golden file.
func feed(_ golden: Golden, _ name: String) throws -> Feed {
  let buffer = try golden.buffer(name)
  return (.placeholder(name, buffer.type), buffer)
}

/// A seed and a step.
func key(_ seed: Int64, _ step: Int64) -> Tensor {
  Tensor(HostBuffer(TensorType([2], .int64), [seed, step]))
}
