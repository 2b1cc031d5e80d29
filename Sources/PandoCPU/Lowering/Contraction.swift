import COneDNN
import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension Contraction: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let shape = ContractionShape(self, operands)
    if results[0].count == 0 { return Kernel(always: { _ in }) }
    if operands[0].count == 0 {
      let bytes = results[0].byteCount
      return Kernel(always: { $0[2]!.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) })
    }
    let isLibrarys = operands[0].dtype == .float32 || operands[0].dtype == .bfloat16
    if !isLibrarys && operands[0].dtype != results[0].dtype {
      // Sums of float16 that are handed out unrounded.
      return try .widened(self, operands, results, threads: threads)
    }
    guard isLibrarys else { return plain(shape, operands, results, threads: threads) }
    // A product without a sum is elementwise, and a matrix-vector product is memory-bound: loops of our own do both
    // without a library's set-up.
    if shape.size(shape.summed) == 1 && shape.batch.count == result.count
      && operands[0].dtype == results[0].dtype
    {
      return plain(shape, operands, results, threads: threads)
    }
    if operands[0].dtype == .bfloat16 && !InstructionSet.multipliesBFloat16 {
      return try .widened(self, operands, results, threads: threads)
    }
    // The library writes row by row: where the result's last label is the first operand's, it is given the second first.
    if let last = result.last, shape.rows.contains(last) {
      let turned = Contraction(lhs: rhs, rhs: lhs, result: result, dtype: resultDType)
      let types: [TensorType] = operands.reversed()
      return try MatrixProduct(
        turned, ContractionShape(turned, types), types, results[0], isTurned: true, threads: threads
      ).kernel
    }
    if let kernel = VectorProduct(self, shape, operands, results[0])?.kernel(threads: threads) {
      return kernel
    }
    return try MatrixProduct(self, shape, operands, results[0], threads: threads).kernel
  }

  /// Plain loops for the types that oneDNN lacks.
  private func plain(
    _ shape: ContractionShape, _ operands: [TensorType], _ results: [TensorType], threads: Int
  ) -> Kernel {
    let outer = shape.batch + shape.rows + shape.columns
    let outerShape = shape.shape(outer).kernel
    let summedShape = shape.shape(shape.summed).kernel
    let strides = [
      shape.strides(outer, in: lhs, operands[0]), shape.strides(outer, in: rhs, operands[1]),
      shape.strides(outer, in: result, results[0]), shape.strides(shape.summed, in: lhs, operands[0]),
      shape.strides(shape.summed, in: rhs, operands[1]),
    ].map(\.kernel)
    let dtype = operands[0].dtype.kernel
    return Kernel { pointers in
      Int32(
        pk_contract(
          pointers[2], pointers[0], pointers[1], dtype, Int32(outerShape.count), outerShape, strides[0],
          strides[1],
          strides[2], Int32(summedShape.count), summedShape, strides[3], strides[4], Int32(threads)
        ).rawValue)
    }
  }
}

/// A oneDNN matrix product, with copies around it where an operand's labels lie so that no strides describe it.
private struct MatrixProduct {
  let kernel: Kernel

  /// One of the three tensors as a batch of matrices.
  private struct Side {
    var shape: [Int64]
    var strides: [Int64]
    /// Brings the tensor into that form (or the result out of it); `nil` where it has it already.
    var copy: StridedCopy?
    var byteCount: Int
  }

  /// - Parameter isTurned: whether the node has the two operands the other way round.
  init(
    _ contraction: Contraction, _ shape: ContractionShape, _ operands: [TensorType], _ result: TensorType,
    isTurned: Bool = false, threads: Int
  ) throws {
    let a = Self.side(shape, contraction.lhs, operands[0], shape.rows, shape.summed, isResult: false)
    let b = Self.side(shape, contraction.rhs, operands[1], shape.summed, shape.columns, isResult: false)
    let c = Self.side(shape, contraction.result, result, shape.rows, shape.columns, isResult: true)
    let type: pdnn_dtype = operands[0].dtype == .bfloat16 ? PDNN_BF16 : PDNN_F32
    let resultType: pdnn_dtype = result.dtype == .bfloat16 ? PDNN_BF16 : PDNN_F32
    pdnn_set_threads(Int32(threads))
    guard
      let made = pdnn_matmul_create(
        Int32(a.shape.count), a.shape, a.strides, type, b.shape, b.strides, type, c.shape, c.strides,
        resultType)
    else {
      throw EngineError(
        "\(contraction.description) of \(operands[0]) and \(operands[1]): oneDNN's \(String(cString: pdnn_last_error()))"
      )
    }
    let primitive = OneDNNPrimitive(made)
    // The workspace holds the copies that are needed, then oneDNN's own.
    var offset = 0
    func reserve(_ side: Side) -> Int? {
      guard side.copy != nil else { return nil }
      defer { offset += (side.byteCount + 63) / 64 * 64 }
      return offset
    }
    let (aAt, bAt, cAt) = (reserve(a), reserve(b), reserve(c))
    let libraryAt = offset
    let bytes = offset + primitive.scratchBytes
    kernel = Kernel(workspaceBytes: bytes) { pointers in
      let workspace = pointers[3]
      var (x, y, z) = (pointers[isTurned ? 1 : 0]!, pointers[isTurned ? 0 : 1]!, pointers[2]!)
      if let aAt {
        a.copy!.run(from: x, to: workspace! + aAt, threads: Int32(threads))
        x = workspace! + aAt
      }
      if let bAt {
        b.copy!.run(from: y, to: workspace! + bAt, threads: Int32(threads))
        y = workspace! + bAt
      }
      if let cAt { z = workspace! + cAt }
      let status = primitive.run(x, y, into: z, scratch: workspace.map { $0 + libraryAt })
      if status == 0, cAt != nil { c.copy!.run(from: z, to: pointers[2]!, threads: Int32(threads)) }
      return status
    }
  }

  private static func side(
    _ shape: ContractionShape, _ labels: String, _ type: TensorType, _ first: [Character],
    _ second: [Character],
    isResult: Bool
  ) -> Side {
    let (m, n) = (shape.size(first), shape.size(second))
    let batchShape = shape.shape(shape.batch)
    let batchStrides = shape.strides(shape.batch, in: labels, type)
    if let i = shape.stride(first, in: labels, type), let j = shape.stride(second, in: labels, type),
      // One of the two runs along memory, in the result the second; sizes of 1 do not count.
      j == 1 || n == 1 || (!isResult && (i == 1 || m == 1))
    {
      let (rowStride, columnStride) = Self.tidied(i, j, m, n)
      return Side(
        shape: (batchShape + [m, n]).kernel, strides: (batchStrides + [rowStride, columnStride]).kernel,
        copy: nil,
        byteCount: type.byteCount)
    }
    let order = shape.batch + first + second
    let dense = TensorType(shape.shape(order), type.dtype)
    let own = shape.strides(order, in: labels, type)
    let copy =
      isResult
      ? StridedCopy(dense.shape, source: dense.strides, destination: own, dtype: type.dtype)
      : StridedCopy(dense.shape, source: own, destination: dense.strides, dtype: type.dtype)
    let batchDense = TensorType(batchShape + [m, n]).strides
    return Side(
      shape: (batchShape + [m, n]).kernel, strides: batchDense.kernel, copy: copy, byteCount: type.byteCount)
  }

  /// Strides that oneDNN accepts for dimensions of size 1, which may have any.
  private static func tidied(_ i: Int, _ j: Int, _ m: Int, _ n: Int) -> (Int, Int) {
    switch (m, n) {
    case (1, 1): (1, 1)
    case (1, _): j == 1 ? (n, 1) : (1, j)
    case (_, 1): i == 1 ? (1, m) : (i, 1)
    default: (i, j)
    }
  }
}
