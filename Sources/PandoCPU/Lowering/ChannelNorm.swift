import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// A tensor [N, C, …] as the channel kernels see it: [n, channels, size].
private struct ChannelSizes {
  let n, channels, size: Int64
  let dtype, parameters: pk_dtype

  init(_ x: TensorType, parameters: TensorType) {
    n = Int64(x.shape[0])
    channels = Int64(x.shape[1])
    size = Int64(x.shape[2...].reduce(1, *))
    dtype = x.dtype.kernel
    self.parameters = parameters.dtype.kernel
  }
}

extension BatchNorm: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = ChannelSizes(operands[0], parameters: operands[1])
    let epsilon = self.epsilon
    return Kernel(inPlace: [[0], [], []]) {
      Int32(
        pk_batch_norm(
          $0[3], $0[4].floats, $0[5].floats, $0[0], $0[1],
          $0[2], sizes.n, sizes.channels, sizes.size, epsilon, sizes.dtype, sizes.parameters, Int32(threads)
        ).rawValue)
    }
  }
}

extension BatchNormGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1])
  }

  /// Operands: x, weight, mean, variance, dy; results: dx, dweight, dbias.
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = ChannelSizes(operands[0], parameters: operands[1])
    let epsilon = self.epsilon
    return Kernel(inPlace: [[0, 4], [], []]) {
      Int32(
        pk_batch_norm_backward(
          $0[5], $0[6], $0[7], $0[4], $0[0], $0[1], $0[2].floats,
          $0[3].floats, sizes.n, sizes.channels, sizes.size, epsilon, sizes.dtype,
          sizes.parameters, Int32(threads)
        ).rawValue)
    }
  }
}

extension BatchNormInference: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0], parameters: operands[1]) && Set(operands[1...].map(\.dtype)).count == 1
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = ChannelSizes(operands[0], parameters: operands[1])
    let epsilon = self.epsilon
    return Kernel(inPlace: [[0]]) {
      Int32(
        pk_batch_norm_inference(
          $0[5], $0[0], $0[1], $0[2], $0[3], $0[4], sizes.n, sizes.channels, sizes.size, epsilon, sizes.dtype,
          sizes.parameters, Int32(threads)
        ).rawValue)
    }
  }
}
