// Between memory and registers: loads, stores and coordinates.
#include "../Support/half.h"
#include "tile.h"

#define TRANSFER_PARAMETERS                                                                                  \
  void *dv, const void *sv, int64_t inner, int64_t stride, int64_t rows, int64_t row_stride
#define TRANSFER_ARGUMENTS dv, sv, inner, stride, rows, row_stride

// From strided memory (type S) to a dense register (type D). Unit and zero strides have loops of their own.
#define LOAD(NAME, S, D, CONVERT)                                                                            \
  PK_LEVELS(void, NAME, (TRANSFER_PARAMETERS), (TRANSFER_ARGUMENTS)) {                                       \
    D *d = dv;                                                                                               \
    for (int64_t row = 0; row < rows; row++, d += inner) {                                                   \
      const S *s = (const S *)sv + row * row_stride;                                                         \
      if (stride == 1) {                                                                                     \
        PK_VECTOR for (int64_t i = 0; i < inner; i++) d[i] = CONVERT(s[i]);                                  \
      } else if (stride == 0) {                                                                              \
        D x = CONVERT(s[0]);                                                                                 \
        PK_VECTOR for (int64_t i = 0; i < inner; i++) d[i] = x;                                              \
      } else {                                                                                               \
        for (int64_t i = 0; i < inner; i++) d[i] = CONVERT(s[i * stride]);                                   \
      }                                                                                                      \
    }                                                                                                        \
  }

// From a dense register (type S) to strided memory (type D).
#define STORE(NAME, S, D, CONVERT)                                                                           \
  PK_LEVELS(void, NAME, (TRANSFER_PARAMETERS), (TRANSFER_ARGUMENTS)) {                                       \
    const S *s = sv;                                                                                         \
    for (int64_t row = 0; row < rows; row++, s += inner) {                                                   \
      D *d = (D *)dv + row * row_stride;                                                                     \
      if (stride == 1) {                                                                                     \
        PK_VECTOR for (int64_t i = 0; i < inner; i++) d[i] = CONVERT(s[i]);                                  \
      } else {                                                                                               \
        for (int64_t i = 0; i < inner; i++) d[i * stride] = CONVERT(s[i]);                                   \
      }                                                                                                      \
    }                                                                                                        \
  }

LOAD(load_1, uint8_t, uint8_t, )
LOAD(load_4, uint32_t, uint32_t, )
LOAD(load_8, uint64_t, uint64_t, )
LOAD(load_bf16, uint16_t, float, pk_from_bf16)
LOAD(load_f16, uint16_t, float, pk_from_f16)
STORE(store_1, uint8_t, uint8_t, )
STORE(store_4, uint32_t, uint32_t, )
STORE(store_8, uint64_t, uint64_t, )
STORE(store_bf16, float, uint16_t, pk_to_bf16)
STORE(store_f16, float, uint16_t, pk_to_f16)

#define IOTA(NAME, T)                                                                                        \
  PK_LEVELS(void, NAME, (TRANSFER_PARAMETERS), (TRANSFER_ARGUMENTS)) {                                       \
    T *d = dv;                                                                                               \
    for (int64_t row = 0; row < rows; row++, d += inner) {                                                   \
      int64_t first = (int64_t)(intptr_t)sv + row * row_stride;                                              \
      PK_VECTOR for (int64_t i = 0; i < inner; i++) d[i] = (T)(first + i * stride);                          \
    }                                                                                                        \
  }
IOTA(iota_f32, float)
IOTA(iota_f64, double)
IOTA(iota_i32, int32_t)
IOTA(iota_i64, int64_t)
IOTA(iota_8, uint8_t)

pk_transfer_fn pk_load_function(pk_dtype storage) {
  if (storage == PK_BF16) return load_bf16;
  if (storage == PK_F16) return load_f16;
  size_t size = pk_size(storage);
  return size == 4 ? load_4 : size == 8 ? load_8 : load_1;
}

pk_transfer_fn pk_store_function(pk_dtype storage) {
  if (storage == PK_BF16) return store_bf16;
  if (storage == PK_F16) return store_f16;
  size_t size = pk_size(storage);
  return size == 4 ? store_4 : size == 8 ? store_8 : store_1;
}

pk_transfer_fn pk_iota_function(pk_dtype type) {
  switch (type) {
    case PK_F32: return iota_f32;
    case PK_F64: return iota_f64;
    case PK_I32: return iota_i32;
    case PK_I64: return iota_i64;
    case PK_I8:
    case PK_U8: return iota_8;
    default: return NULL;
  }
}
