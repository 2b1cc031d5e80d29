import CPandoKernels
import PandoIR
import PandoOperations

/// A float32 contraction in which one operand is a vector: bound by memory, and small enough that a library's set-up
/// would show.
struct VectorProduct {
  /// Which operand is the matrix.
  private let matrix: Int
  private let count: Int
  private let summed: Int
  private let strides: (outer: Int, summed: Int)

  /// Fails where the contraction is anything else, or lies so that elements would have to be gathered.
  init?(_ contraction: Contraction, _ shape: ContractionShape, _ operands: [TensorType], _ result: TensorType)
  {
    let (rows, columns) = (shape.size(shape.rows), shape.size(shape.columns))
    guard shape.size(shape.batch) == 1, min(rows, columns) == 1, max(rows, columns) >= 4,
      (operands + [result]).allSatisfy({ $0.dtype == .float32 })
    else { return nil }
    matrix = rows == 1 ? 1 : 0
    let labels = [contraction.lhs, contraction.rhs]
    let outer = rows == 1 ? shape.columns : shape.rows
    guard let first = shape.stride(outer, in: labels[matrix], operands[matrix]),
      let second = shape.stride(shape.summed, in: labels[matrix], operands[matrix]),
      first == 1 || second == 1,
      shape.stride(shape.summed, in: labels[1 - matrix], operands[1 - matrix]) == 1,
      shape.stride(outer, in: contraction.result, result) == 1
    else { return nil }
    strides = (first, second)
    count = max(rows, columns)
    summed = shape.size(shape.summed)
  }

  func kernel(threads: Int) -> Kernel {
    Kernel { pointers in
      Int32(
        pk_matrix_vector(
          pointers[2].floats, pointers[matrix].floats, pointers[1 - matrix].floats, Int64(count),
          Int64(summed), Int64(strides.outer), Int64(strides.summed), Int32(threads)
        ).rawValue)
    }
  }
}
