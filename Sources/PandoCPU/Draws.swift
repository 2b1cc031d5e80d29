import CPandoKernels
import PandoEngine
import PandoIR

/// Random numbers straight into host memory, on several threads: how weights begin. Numbers depend on the seed, the
/// stream and the place only.
package enum Draws {
  /// Uniform numbers in ±`bound`, by the words of the stream at step 0.
  package static func uniform(
    into buffer: HostBuffer, bound: Double, stream: UInt32, seed: UInt64, threads: Int
  ) {
    let type = buffer.type
    let status = pk_draw_uniform(
      buffer.pointer, type.dtype.kernel, Int64(type.count), seed, stream, bound, Int32(threads))
    precondition(status == PK_OK, "cannot draw \(type)")
  }

  /// Normal numbers, two words for each.
  package static func normal(
    into buffer: HostBuffer, mean: Double, deviation: Double, stream: UInt32, seed: UInt64, threads: Int
  ) {
    let type = buffer.type
    let status = pk_draw_normal(
      buffer.pointer, type.dtype.kernel, Int64(type.count), seed, stream, mean, deviation, Int32(threads))
    precondition(status == PK_OK, "cannot draw \(type)")
  }
}
