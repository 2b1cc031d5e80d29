import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension Reduce: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands[0].dtype != .bool || function == .maximum || function == .minimum
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let x = operands[0]
    let (dtype, function, threads) = (x.dtype.kernel, self.function.kernel, Int32(threads))
    let isUnrounded = results[0].dtype != x.dtype
    let reduce: (UnsafeMutableRawPointer?, UnsafeRawPointer?, [Int64]) -> Int32 = { result, operand, sizes in
      let status =
        isUnrounded
        ? pk_reduce_unrounded(result.floats, operand, sizes, dtype, threads)
        : pk_reduce(result, operand, sizes, function, dtype, threads)
      return Int32(status.rawValue)
    }
    if let sizes = Self.fiveSizes(x.shape, dimensions) {
      return Kernel { reduce($0[1], $0[0], sizes) }
    }
    // Too many turns between kept and reduced dimensions for the kernel: the reduced ones are brought to the end first.
    let kept = x.shape.indices.filter { !dimensions.contains($0) }
    let copy = StridedCopy.transpose(x, kept + dimensions)
    let sizes: [Int64] = [Int64(results[0].count), Int64(x.count / max(1, results[0].count)), 1, 1, 1]
    return Kernel(workspaceBytes: max(1, x.byteCount)) { pointers in
      copy.run(from: pointers[0]!, to: pointers[2]!, threads: threads)
      return reduce(pointers[1], pointers[2], sizes)
    }
  }

  /// The sizes as kept, reduced, kept, reduced, kept; `nil` where there are more turns.
  static func fiveSizes(_ shape: [Int], _ dimensions: [Int]) -> [Int64]? {
    var sizes: [Int64] = [1]
    var isReduced = false
    for (dimension, size) in shape.enumerated() where size != 1 {
      if dimensions.contains(dimension) == isReduced {
        sizes[sizes.count - 1] *= Int64(size)
      } else {
        sizes.append(Int64(size))
        isReduced.toggle()
      }
    }
    guard sizes.count <= 5 else { return nil }
    // What is reduced stays at an odd place: kept 1s fill up at the end.
    return sizes + Array(repeating: 1, count: 5 - sizes.count)
  }
}

extension Reduce.Function {
  var kernel: pk_reduction {
    switch self {
    case .sum: PK_REDUCE_SUM
    case .product: PK_REDUCE_PROD
    case .maximum: PK_REDUCE_MAX
    case .minimum: PK_REDUCE_MIN
    }
  }
}
