import CPandoKernels
import PandoIR

/// A tensor as the row kernels see it: [rows, n], in a type that they take.
struct RowSizes {
  let rows, count: Int64
  let dtype: pk_dtype

  /// The last `dimensions` dimensions as rows.
  init(_ x: TensorType, last dimensions: Int) {
    count = Int64(x.shape.suffix(dimensions).reduce(1, *))
    rows = Int64(x.shape.dropLast(dimensions).reduce(1, *))
    dtype = x.dtype.kernel
  }

  /// Whether the row and channel kernels take `x` with parameters of another type.
  static func fits(_ x: TensorType, parameters: TensorType? = nil) -> Bool {
    guard x.dtype == .float32 || x.dtype == .bfloat16 else { return false }
    return parameters.map { $0.dtype == x.dtype || $0.dtype == .float32 } ?? true
  }
}
