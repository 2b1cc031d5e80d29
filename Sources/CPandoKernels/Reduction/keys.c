#include "keys.h"

#include "../Support/half.h"

// Adding 0 turns -0 into 0. Positive numbers get the sign bit, negative ones have all bits flipped.
PK_INLINE uint64_t key_f32(float x) {
  uint32_t bits = pk_bits_of(x + 0.0f);
  uint32_t key = bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
  return x != x ? UINT32_MAX : key;
}

PK_INLINE uint64_t key_f64(double x) {
  uint64_t bits = pk_bits_of_double(x + 0.0);
  uint64_t key = bits ^ ((uint64_t)((int64_t)bits >> 63) | 0x8000000000000000u);
  return x != x ? UINT64_MAX : key;
}

#define KEY_BF16(x) key_f32(pk_from_bf16(x))
#define KEY_F16(x) key_f32(pk_from_f16(x))
#define KEY_I32(x) ((uint64_t)((int64_t)(x) + 0x80000000))
#define KEY_I64(x) ((uint64_t)(x) ^ 0x8000000000000000u)
#define KEY_I8(x) ((uint64_t)((int64_t)(x) + 128))
#define KEY_U8(x) ((uint64_t)(x))

#define KEYS(NAME, T, KEY)                                                                                   \
  PK_LEVELS(void, NAME, (uint64_t * keys, const void *src, int64_t stride, int64_t n, uint64_t flip),        \
            (keys, src, stride, n, flip)) {                                                                  \
    const T *x = src;                                                                                        \
    if (stride == 1) {                                                                                       \
      PK_VECTOR for (int64_t i = 0; i < n; i++) keys[i] = KEY(x[i]) ^ flip;                                  \
    } else {                                                                                                 \
      for (int64_t i = 0; i < n; i++) keys[i] = KEY(x[i * stride]) ^ flip;                                   \
    }                                                                                                        \
  }
KEYS(keys_f32, float, key_f32)
KEYS(keys_f64, double, key_f64)
KEYS(keys_bf16, uint16_t, KEY_BF16)
KEYS(keys_f16, uint16_t, KEY_F16)
KEYS(keys_i32, int32_t, KEY_I32)
KEYS(keys_i64, int64_t, KEY_I64)
KEYS(keys_i8, int8_t, KEY_I8)
KEYS(keys_u8, uint8_t, KEY_U8)

void pk_order_keys(uint64_t *keys, const void *src, int64_t stride, int64_t n, pk_dtype dtype, int flip) {
  uint64_t mask = flip ? UINT64_MAX : 0;
  switch (dtype) {
    case PK_F32: keys_f32(keys, src, stride, n, mask); return;
    case PK_F64: keys_f64(keys, src, stride, n, mask); return;
    case PK_BF16: keys_bf16(keys, src, stride, n, mask); return;
    case PK_F16: keys_f16(keys, src, stride, n, mask); return;
    case PK_I32: keys_i32(keys, src, stride, n, mask); return;
    case PK_I64: keys_i64(keys, src, stride, n, mask); return;
    case PK_I8: keys_i8(keys, src, stride, n, mask); return;
    case PK_U8:
    case PK_BOOL: keys_u8(keys, src, stride, n, mask); return;
  }
}
