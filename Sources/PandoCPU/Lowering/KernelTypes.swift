import CPandoKernels
import PandoEngine
import PandoIR

extension DType {
  /// The kernels' name for this type.
  var kernel: pk_dtype {
    switch self {
    case .float32: PK_F32
    case .float64: PK_F64
    case .bfloat16: PK_BF16
    case .float16: PK_F16
    case .int32: PK_I32
    case .int64: PK_I64
    case .int8: PK_I8
    case .uint8: PK_U8
    case .bool: PK_BOOL
    }
  }

  /// The type of the register that holds an element: 16-bit floats are computed in float32.
  var register: pk_dtype {
    switch self {
    case .bfloat16, .float16: PK_F32
    default: kernel
    }
  }
}

extension Array where Element == Int {
  /// The sizes as the kernels take them.
  var kernel: [Int64] { map(Int64.init) }
}
