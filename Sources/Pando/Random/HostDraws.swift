import PandoCPU
import PandoEngine
import PandoIR

extension HostBuffer {
  /// New memory with uniform numbers in ±`bound`: (2u - 1) · bound with u the highest 24 bits of a word of the stream.
  /// Numbers depend on the seed, the stream and the place only. The type is a floating-point type.
  package static func uniform(
    _ type: TensorType, bound: Double, stream: UInt32, seed: UInt64, threads: Int
  ) -> HostBuffer {
    let buffer = HostBuffer(type)
    Draws.uniform(into: buffer, bound: bound, stream: stream, seed: seed, threads: threads)
    return buffer
  }

  /// New memory with normal numbers (Box and Muller, 1958), each of two words of the stream.
  package static func normal(
    _ type: TensorType, mean: Double, deviation: Double, stream: UInt32, seed: UInt64, threads: Int
  ) -> HostBuffer {
    let buffer = HostBuffer(type)
    Draws.normal(
      into: buffer, mean: mean, deviation: deviation, stream: stream, seed: seed, threads: threads)
    return buffer
  }
}
