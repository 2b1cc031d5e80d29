import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// A softmax of some kind along dimensions that end a tensor; others are decomposed.
private enum SoftmaxKernel {
  typealias Forward =
    (UnsafeMutableRawPointer?, UnsafeRawPointer?, Int64, Int64, pk_dtype, Int32) -> pk_status
  typealias Backward =
    (UnsafeMutableRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, Int64, Int64, pk_dtype, Int32) ->
    pk_status

  static func fits(_ x: TensorType, _ dimension: Int) -> Bool {
    RowSizes.fits(x) && x.shape[(dimension + 1)...].allSatisfy { $0 == 1 }
  }

  static func forward(_ x: TensorType, _ dimension: Int, _ threads: Int, _ kernel: @escaping Forward)
    -> Kernel
  {
    let sizes = RowSizes(x, last: x.rank - dimension)
    return Kernel(inPlace: [[0]]) {
      Int32(kernel($0[1], $0[0], sizes.rows, sizes.count, sizes.dtype, Int32(threads)).rawValue)
    }
  }

  /// Operands are the result and its cotangent.
  static func backward(_ x: TensorType, _ dimension: Int, _ threads: Int, _ kernel: @escaping Backward)
    -> Kernel
  {
    let sizes = RowSizes(x, last: x.rank - dimension)
    return Kernel(inPlace: [[0, 1]]) {
      Int32(kernel($0[2], $0[1], $0[0], sizes.rows, sizes.count, sizes.dtype, Int32(threads)).rawValue)
    }
  }
}

extension Softmax: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    SoftmaxKernel.fits(operands[0], dimension)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    SoftmaxKernel.forward(operands[0], dimension, threads, pk_softmax)
  }
}

extension SoftmaxGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    SoftmaxKernel.fits(operands[0], dimension)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    SoftmaxKernel.backward(operands[0], dimension, threads, pk_softmax_backward)
  }
}

extension LogSoftmax: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    SoftmaxKernel.fits(operands[0], dimension)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    SoftmaxKernel.forward(operands[0], dimension, threads, pk_log_softmax)
  }
}

extension LogSoftmaxGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    SoftmaxKernel.fits(operands[0], dimension)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    SoftmaxKernel.backward(operands[0], dimension, threads, pk_log_softmax_backward)
  }
}
