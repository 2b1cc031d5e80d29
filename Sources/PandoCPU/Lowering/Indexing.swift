import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// The sizes of a gather or scatter as the kernels see them.
private struct GatherSizes {
  let outer: Int64, n: Int64, k: Int64, row: Int64
  /// How often all of this is repeated, each time with indices of its own.
  let batches: Int

  init(_ x: TensorType, _ indices: TensorType, axis: Int, batchDimensions: Int) {
    batches = x.shape[..<batchDimensions].reduce(1, *)
    // Within a batch, dimensions before the axis repeat the same indices.
    outer = Int64(x.shape[batchDimensions..<axis].reduce(1, *))
    n = Int64(x.shape[axis])
    k = Int64(indices.shape[batchDimensions...].reduce(1, *))
    row = Int64(x.shape[(axis + 1)...].reduce(1, *))
  }

  /// Whether each batch is one line with places of its own: all batches are one call then.
  var isAlongLines: Bool { outer == 1 && row == 1 }
}

extension Gather: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands[1].dtype == .int32 || operands[1].dtype == .int64
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = GatherSizes(operands[0], operands[1], axis: axis, batchDimensions: batchDimensions)
    let (size, type) = (operands[0].dtype.byteCount, operands[1].dtype)
    let source = Int(sizes.outer * sizes.n * sizes.row) * size
    let destination = Int(sizes.outer * sizes.k * sizes.row) * size
    let indexBytes = Int(sizes.k) * type.byteCount
    if sizes.isAlongLines {
      return Kernel { pointers in
        Int32(
          pk_take_along(
            pointers[2], pointers[0], pointers[1], type.kernel, Int64(sizes.batches), sizes.n, sizes.k, 1,
            size,
            PK_BOUNDS_CLAMP, Int32(threads)
          ).rawValue)
      }
    }
    return Kernel { pointers in
      for batch in 0..<sizes.batches {
        let status = pk_gather_rows(
          pointers[2]! + batch * destination, pointers[0]! + batch * source,
          pointers[1]! + batch * indexBytes,
          type.kernel, sizes.outer, sizes.n, sizes.k, sizes.row, size, PK_BOUNDS_CLAMP, Int32(threads))
        if status != PK_OK { return Int32(status.rawValue) }
      }
      return 0
    }
  }
}

extension ScatterAdd: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    let types: [DType] = [.float32, .float64, .int32, .int64]
    return (operands[1].dtype == .int32 || operands[1].dtype == .int64) && types.contains(operands[0].dtype)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = GatherSizes(operands[0], operands[1], axis: axis, batchDimensions: batchDimensions)
    let (dtype, type) = (operands[0].dtype, operands[1].dtype)
    let destination = Int(sizes.outer * sizes.n * sizes.row) * dtype.byteCount
    let source = Int(sizes.outer * sizes.k * sizes.row) * dtype.byteCount
    let indexBytes = Int(sizes.k) * type.byteCount
    let total = operands[0].byteCount
    return Kernel(inPlace: [[0]]) { pointers in
      if pointers[3] != pointers[0] { pointers[3]!.copyMemory(from: pointers[0]!, byteCount: total) }
      if sizes.isAlongLines {
        return Int32(
          pk_add_along(
            pointers[3], pointers[2], pointers[1], type.kernel, Int64(sizes.batches), sizes.n, sizes.k, 1,
            dtype.kernel, PK_BOUNDS_SKIP, Int32(threads)
          ).rawValue)
      }
      for batch in 0..<sizes.batches {
        let status = pk_scatter_add_rows(
          pointers[3]! + batch * destination, pointers[2]! + batch * source,
          pointers[1]! + batch * indexBytes,
          type.kernel, sizes.outer, sizes.n, sizes.k, sizes.row, dtype.kernel, PK_BOUNDS_SKIP, Int32(threads))
        if status != PK_OK { return Int32(status.rawValue) }
      }
      return 0
    }
  }
}
