import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension MaxPool: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { window.isFlat }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = window.kernel(x: operands[0], y: results[0])
    return .computing(operands, results, threads: threads) { pointers, dtype in
      withUnsafePointer(to: sizes) { pk_max_pool(pointers[1], pointers[0], $0, dtype, Int32(threads)) }
    }
  }
}

extension MaxPoolGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { window.isFlat }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = window.kernel(x: operands[0], y: operands[1])
    return .computing(operands, results, threads: threads) { pointers, dtype in
      withUnsafePointer(to: sizes) {
        pk_max_pool_backward(pointers[2], pointers[1], pointers[0], $0, dtype, Int32(threads))
      }
    }
  }
}

extension MaxPoolSelect: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { window.isFlat }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = window.kernel(x: operands[0], y: results[0])
    return .computing(operands, results, threads: threads) { pointers, dtype in
      withUnsafePointer(to: sizes) {
        pk_max_pool_select(pointers[2], pointers[1], pointers[0], $0, dtype, Int32(threads))
      }
    }
  }
}

extension SumPool: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { window.isFlat }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = window.kernel(x: operands[0], y: results[0])
    return .computing(operands, results, threads: threads) { pointers, dtype in
      withUnsafePointer(to: sizes) { pk_sum_pool(pointers[1], pointers[0], $0, 1, dtype, Int32(threads)) }
    }
  }
}

extension SumPoolGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { window.isFlat }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = window.kernel(x: results[0], y: operands[0])
    return .computing(operands, results, threads: threads) { pointers, dtype in
      withUnsafePointer(to: sizes) {
        pk_sum_pool_backward(pointers[1], pointers[0], $0, 1, dtype, Int32(threads))
      }
    }
  }
}

extension PoolingWindow {
  /// Whether the kernels know it: over one or two dimensions.
  var isFlat: Bool { spatial <= 2 }

  /// The sizes as the kernels take them; a single dimension is a row of height 1.
  func kernel(x: TensorType, y: TensorType) -> pk_pool {
    func pair(_ numbers: [Int], _ fill: Int64) -> (Int64, Int64) {
      numbers.count == 1 ? (fill, Int64(numbers[0])) : (Int64(numbers[0]), Int64(numbers[1]))
    }
    return pk_pool(
      planes: Int64(x.shape[0] * x.shape[1]), input: pair(Array(x.shape.dropFirst(2)), 1),
      output: pair(Array(y.shape.dropFirst(2)), 1), window: pair(size, 1), stride: pair(strides, 1),
      low: pair(low, 0), dilation: pair(dilation, 1))
  }
}

extension Kernel {
  /// A kernel that computes in float32 or float64; 16-bit operands are widened into the workspace first and results
  /// rounded from there.
  ///
  /// - Parameter body: is given the addresses of operands and results of the type it computes in.
  fileprivate static func computing(
    _ operands: [TensorType], _ results: [TensorType], threads: Int,
    _ body: @escaping (KernelPointers, pk_dtype) -> pk_status
  ) -> Kernel {
    let dtype = operands[0].dtype
    guard dtype.byteCount == 2 else { return Kernel { Int32(body($0, dtype.kernel).rawValue) } }
    let tensors = operands + results
    var offsets: [Int] = []
    var bytes = 0
    for tensor in tensors {
      offsets.append(bytes)
      bytes += (tensor.count * 4 + 63) / 64 * 64
    }
    let (read, threads) = (operands.count, Int32(threads))
    return Kernel(workspaceBytes: bytes) { pointers in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: tensors.count) { wide in
        for index in tensors.indices {
          wide.initializeElement(at: index, to: pointers[tensors.count].map { $0 + offsets[index] })
        }
        var status = PK_OK
        for index in 0..<read where status == PK_OK {
          status = pk_convert(
            wide[index], PK_F32, pointers[index], dtype.kernel, Int64(tensors[index].count), threads)
        }
        if status == PK_OK { status = body(UnsafePointer(wide.baseAddress!), PK_F32) }
        for index in read..<tensors.count where status == PK_OK {
          status = pk_convert(
            pointers[index], dtype.kernel, wide[index], PK_F32, Int64(tensors[index].count), threads)
        }
        return Int32(status.rawValue)
      }
    }
  }
}
