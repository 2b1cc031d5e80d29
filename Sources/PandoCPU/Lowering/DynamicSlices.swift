import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// Reads a box's first place, which is int32 or int64 in memory, for a kernel that takes int64.
private func withStart(
  _ start: UnsafeMutableRawPointer?, rank: Int, dtype: DType, _ body: (UnsafePointer<Int64>?) -> pk_status
) -> Int32 {
  withUnsafeTemporaryAllocation(of: Int64.self, capacity: rank) { places in
    for dimension in 0..<rank {
      let address = start! + dimension * dtype.byteCount
      places[dimension] =
        dtype == .int32 ? Int64(address.load(as: Int32.self)) : address.load(as: Int64.self)
    }
    return Int32(body(UnsafePointer(places.baseAddress)).rawValue)
  }
}

extension DynamicSlice: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (shape, box) = (operands[0].shape.kernel, sizes.kernel)
    let (rank, size, dtype) = (operands[0].rank, operands[0].dtype.byteCount, operands[1].dtype)
    return Kernel { pointers in
      withStart(pointers[1], rank: rank, dtype: dtype) { start in
        pk_dynamic_slice(pointers[2], box, pointers[0], shape, start, Int32(rank), size, Int32(threads))
      }
    }
  }
}

extension DynamicUpdateSlice: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (shape, box) = (operands[0].shape.kernel, operands[1].shape.kernel)
    let (rank, size, dtype) = (operands[0].rank, operands[0].dtype.byteCount, operands[2].dtype)
    let total = operands[0].byteCount
    return Kernel(inPlace: [[0]]) { pointers in
      if pointers[3] != pointers[0] { pointers[3]!.copyMemory(from: pointers[0]!, byteCount: total) }
      return withStart(pointers[2], rank: rank, dtype: dtype) { start in
        pk_dynamic_update(pointers[3], shape, pointers[1], box, start, Int32(rank), size, Int32(threads))
      }
    }
  }
}
