import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension LayerNorm: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: dimensions)
    let (epsilon, parameters) = (self.epsilon, operands[1].dtype.kernel)
    return Kernel(inPlace: [[0], [], []]) {
      Int32(
        pk_layer_norm(
          $0[3], $0[4].floats, $0[5].floats, $0[0], $0[1],
          $0[2], sizes.rows, sizes.count, epsilon, sizes.dtype, parameters, Int32(threads)
        ).rawValue)
    }
  }
}

extension LayerNormGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  /// Operands: x, weight, mean, reciprocal standard deviation, dy; results: dx, dweight, dbias.
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: dimensions)
    let parameters = operands[1].dtype.kernel
    let workspace = Int(pk_norm_workspace(sizes.rows, sizes.count))
    return Kernel(workspaceBytes: workspace, inPlace: [[0, 4], [], []]) {
      Int32(
        pk_layer_norm_backward(
          $0[5], $0[6], $0[7], $0[4], $0[0], $0[1], $0[2].floats,
          $0[3].floats, sizes.rows, sizes.count, sizes.dtype, parameters, $0[8],
          Int32(threads)
        ).rawValue)
    }
  }
}

extension RMSNorm: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: dimensions)
    let (epsilon, parameters) = (self.epsilon, operands[1].dtype.kernel)
    return Kernel(inPlace: [[0], []]) {
      Int32(
        pk_rms_norm(
          $0[2], $0[3].floats, $0[0], $0[1], sizes.rows, sizes.count, epsilon,
          sizes.dtype, parameters, Int32(threads)
        ).rawValue)
    }
  }
}

extension RMSNormGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  /// Operands: x, weight, reciprocal root mean square, dy; results: dx, dweight.
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: dimensions)
    let parameters = operands[1].dtype.kernel
    let workspace = Int(pk_norm_workspace(sizes.rows, sizes.count))
    return Kernel(workspaceBytes: workspace, inPlace: [[0, 3], []]) {
      Int32(
        pk_rms_norm_backward(
          $0[4], $0[5], $0[3], $0[0], $0[1], $0[2].floats, sizes.rows, sizes.count,
          sizes.dtype, parameters, $0[6], Int32(threads)
        ).rawValue)
    }
  }
}
