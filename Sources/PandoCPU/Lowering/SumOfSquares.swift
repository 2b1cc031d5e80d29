import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension SumOfSquares: CPULowering {
  /// Sums of 16-bit elements would be rounded to 16 bits by the kernel; those are decomposed.
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands[0].dtype == results[0].dtype
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (count, dtype) = (Int64(operands[0].count), operands[0].dtype.kernel)
    return Kernel { pointers in
      withUnsafeTemporaryAllocation(of: Int64.self, capacity: 5) { sizes in
        sizes.initialize(repeating: 1)
        sizes[1] = count
        return Int32(
          pk_reduce(
            pointers[1], pointers[0], sizes.baseAddress, PK_REDUCE_SUM_SQUARES, dtype, Int32(threads)
          ).rawValue)
      }
    }
  }
}
