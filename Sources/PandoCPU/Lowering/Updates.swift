import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension AdamUpdate: CPULowering {
  /// All in float32; other types are decomposed and become a sweep of general code.
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands.prefix(isGuarded ? 7 : 6).allSatisfy { $0.dtype == .float32 }
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let rule = pk_adam(
      beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay, decoupled: decoupled ? 1 : 0)
    let (count, bytes, isGuarded) = (operands[0].count, operands[0].byteCount, isGuarded)
    let first = operands.count
    return Kernel(
      inPlace: [[0], [2], [3]],
      always: { pointers in
        if isGuarded, !pointers[7]!.load(as: Bool.self) {
          for (new, old) in [(first, 0), (first + 1, 2), (first + 2, 3)] where pointers[new] != pointers[old]
          {
            pointers[new]!.copyMemory(from: pointers[old]!, byteCount: bytes)
          }
          return
        }
        withUnsafePointer(to: rule) {
          pk_adam_update(
            pointers[first].floats, pointers[first + 1].floats, pointers[first + 2].floats,
            pointers[0].floats,
            pointers[1].floats, pointers[2].floats, pointers[3].floats, Int64(count), $0,
            pointers[4]!.load(as: Float.self), pointers[5]!.load(as: Float.self),
            isGuarded ? pointers[6]!.load(as: Float.self) : 1, Int32(threads))
        }
      })
  }
}
