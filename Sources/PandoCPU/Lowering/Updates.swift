import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension AdamUpdate: CPULowering {
  /// All in float32, or with moments in bfloat16 that are rounded at random; other types are decomposed and become a
  /// sweep of general code.
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    let moments: DType = stream == nil ? .float32 : .bfloat16
    return operands.prefix(isGuarded ? 7 : 6).enumerated().allSatisfy { place, type in
      type.dtype == (place == 2 || place == 3 ? moments : .float32)
    }
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let rule = pk_adam(
      beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay, decoupled: decoupled ? 1 : 0)
    let (count, isGuarded, stream) = (Int64(operands[0].count), isGuarded, stream)
    let first = operands.count
    let kept = [(first, 0), (first + 1, 2), (first + 2, 3)].map { ($0, $1, operands[$1].byteCount) }
    return Kernel(
      inPlace: [[0], [2], [3]],
      always: { pointers in
        if isGuarded, !pointers[7]!.load(as: Bool.self) {
          for (new, old, bytes) in kept where pointers[new] != pointers[old] {
            pointers[new]!.copyMemory(from: pointers[old]!, byteCount: bytes)
          }
          return
        }
        let (rate, step) = (pointers[4]!.load(as: Float.self), pointers[5]!.load(as: Float.self))
        let scale = isGuarded ? pointers[6]!.load(as: Float.self) : 1
        withUnsafePointer(to: rule) { rule in
          guard let stream else {
            pk_adam_update(
              pointers[first].floats, pointers[first + 1].floats, pointers[first + 2].floats,
              pointers[0].floats, pointers[1].floats, pointers[2].floats, pointers[3].floats, count, rule,
              rate, step, scale, Int32(threads))
            return
          }
          let key = pointers[first - 1]!.assumingMemoryBound(to: UInt64.self)
          var draw = pk_adam_draw(seed: key[0], step: key[1], stream: UInt32(stream))
          pk_adam_update_bf16(
            pointers[first].floats, pointers[first + 1].halves, pointers[first + 2].halves,
            pointers[0].floats, pointers[1].floats, pointers[2].halves, pointers[3].halves, count, rule, rate,
            step, scale, &draw, Int32(threads))
        }
      })
  }
}
