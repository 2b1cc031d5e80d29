import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// A dimension with what lies before and behind it.
private struct Around {
  let outer: Int64, n: Int64, inner: Int64

  init(_ type: TensorType, _ dimension: Int) {
    outer = Int64(type.shape[..<dimension].reduce(1, *))
    n = Int64(type.shape[dimension])
    inner = Int64(type.shape[(dimension + 1)...].reduce(1, *))
  }
}

extension ArgMax: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let around = Around(operands[0], dimension)
    let (dtype, index) = (operands[0].dtype.kernel, results[0].dtype.kernel)
    let smallest: Int32 = minimum ? 1 : 0
    return Kernel { pointers in
      Int32(
        pk_arg_extremum(
          pointers[1], index, pointers[0], dtype, around.outer, around.n, around.inner, smallest,
          Int32(threads)
        ).rawValue)
    }
  }
}

extension CumulativeSum: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    [.float32, .float64, .bfloat16, .int32, .int64].contains(operands[0].dtype)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let around = Around(operands[0], dimension)
    let dtype = operands[0].dtype.kernel
    let (reverse, exclusive): (Int32, Int32) = (self.reverse ? 1 : 0, self.exclusive ? 1 : 0)
    return Kernel(inPlace: [[0]]) { pointers in
      Int32(
        pk_cumulative_sum(
          pointers[1], pointers[0], dtype, around.outer, around.n, around.inner, reverse, exclusive,
          Int32(threads)
        ).rawValue)
    }
  }
}

extension Sort: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let around = Around(operands[0], dimension)
    let dtype = operands[0].dtype.kernel
    let descending: Int32 = self.descending ? 1 : 0
    let bytes = pk_sort_workspace(around.n, Int32(threads))
    return Kernel(workspaceBytes: bytes) { pointers in
      Int32(
        pk_sort(
          pointers[1], pointers[2]?.assumingMemoryBound(to: Int32.self), pointers[0], dtype, around.outer,
          around.n,
          around.inner, descending, pointers[3], Int32(threads)
        ).rawValue)
    }
  }
}

extension TopK: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let around = Around(operands[0], dimension)
    let (dtype, k) = (operands[0].dtype.kernel, Int64(self.k))
    let bytes = pk_sort_workspace(around.n, Int32(threads))
    return Kernel(workspaceBytes: bytes) { pointers in
      Int32(
        pk_top_k(
          pointers[1], pointers[2]?.assumingMemoryBound(to: Int32.self), pointers[0], dtype, around.outer,
          around.n,
          around.inner, k, pointers[3], Int32(threads)
        ).rawValue)
    }
  }
}
