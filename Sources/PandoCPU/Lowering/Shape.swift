import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension Constant: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let bytes = self.bytes
    return Kernel(always: { pointers in
      bytes.withUnsafeBytes { source in
        if let base = source.baseAddress { pointers[0]!.copyMemory(from: base, byteCount: source.count) }
      }
    })
  }
}

extension Transpose: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let copy = StridedCopy.transpose(operands[0], permutation)
    return Kernel { copy.run(from: $0[0]!, to: $0[1]!, threads: Int32(threads)) }
  }
}

extension Slice: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let own = operands[0].strides
    let copy = StridedCopy(
      results[0].shape, source: zip(own, strides).map { $0 * $1 },
      from: zip(own, starts).reduce(0) { $0 + $1.0 * $1.1 }, destination: results[0].strides,
      dtype: operands[0].dtype)
    return Kernel { copy.run(from: $0[0]!, to: $0[1]!, threads: Int32(threads)) }
  }
}

extension Reverse: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (own, shape) = (operands[0].strides, operands[0].shape)
    let copy = StridedCopy(
      shape, source: own.indices.map { dimensions.contains($0) ? -own[$0] : own[$0] },
      from: dimensions.reduce(0) { $0 + Swift.max(0, shape[$1] - 1) * own[$1] }, destination: own,
      dtype: operands[0].dtype)
    return Kernel { copy.run(from: $0[0]!, to: $0[1]!, threads: Int32(threads)) }
  }
}

extension Concatenate: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let own = results[0].strides
    var start = 0
    let copies = operands.map { operand in
      defer { start += operand.shape[dimension] }
      return StridedCopy(
        operand.shape, source: operand.strides, destination: own, to: start * own[dimension],
        dtype: operand.dtype)
    }
    let count = operands.count
    return Kernel { pointers in
      for (index, copy) in copies.enumerated() {
        let status = copy.run(from: pointers[index]!, to: pointers[count]!, threads: Int32(threads))
        if status != 0 { return status }
      }
      return 0
    }
  }
}

extension Pad: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let (shape, source) = (results[0].shape.kernel, operands[0].shape.kernel)
    let (low, interior) = (self.low.kernel, self.interior.kernel)
    let (rank, size) = (Int32(shape.count), operands[0].dtype.byteCount)
    return Kernel { pointers in
      Int32(
        pk_pad(
          pointers[2], shape, pointers[0], source, low, interior, rank, pointers[1], size, Int32(threads)
        ).rawValue)
    }
  }
}
