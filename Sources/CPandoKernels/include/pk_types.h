/// Element types and statuses that all kernels share.
#ifndef PK_TYPES_H
#define PK_TYPES_H

#include <stddef.h>
#include <stdint.h>

/// The most dimensions that any kernel takes.
#define PK_MAX_RANK 8

/// How an element is stored. `PK_BOOL` is one byte, 0 or 1.
typedef enum pk_dtype {
  PK_F32 = 0,
  PK_F64 = 1,
  PK_BF16 = 2,
  PK_F16 = 3,
  PK_I32 = 4,
  PK_I64 = 5,
  PK_I8 = 6,
  PK_U8 = 7,
  PK_BOOL = 8,
} pk_dtype;

/// How many element types there are.
#define PK_DTYPE_COUNT 9

/// What a function that checks its arguments found.
typedef enum pk_status {
  /// All is well.
  PK_OK = 0,
  /// A size, index, type or operation is not one that exists.
  PK_INVALID = 1,
  /// The operation does not exist for this element type.
  PK_UNSUPPORTED = 2,
  /// A fixed limit (operands, instructions, rank, live registers) is exceeded.
  PK_LIMIT = 3,
  /// Memory could not be allocated.
  PK_MEMORY = 4,
} pk_status;

/// Bytes of one element; 0 where `dtype` is not an element type.
static inline size_t pk_size(pk_dtype dtype) {
  switch (dtype) {
    case PK_F64:
    case PK_I64: return 8;
    case PK_F32:
    case PK_I32: return 4;
    case PK_BF16:
    case PK_F16: return 2;
    case PK_I8:
    case PK_U8:
    case PK_BOOL: return 1;
  }
  return 0;
}

#endif
