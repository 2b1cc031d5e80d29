// Includes BODY once for each storage type. NAME gives each function a name of its own.
#define PK_JOIN_(a, b) a##_##b
#define PK_JOIN(a, b) PK_JOIN_(a, b)

#define S float
#define LOAD(x) (x)
#define STORE(x) (x)
#define NARROW 0
#define NAME(x) PK_JOIN(x, f32)
#include BODY
#undef S
#undef LOAD
#undef STORE
#undef NARROW
#undef NAME

#define S uint16_t
#define LOAD(x) pk_from_bf16(x)
#define STORE(x) pk_to_bf16(x)
#define NARROW 1
#define NAME(x) PK_JOIN(x, bf16)
#include BODY
#undef S
#undef LOAD
#undef STORE
#undef NARROW
#undef NAME

// The function for `dtype`, or an early return.
#define PK_CHOOSE_ROW(FUNCTION, NAME)                                                                        \
  pk_range_fn FUNCTION = dtype == PK_F32 ? NAME##_f32 : dtype == PK_BF16 ? NAME##_bf16 : NULL;               \
  if (!FUNCTION) return PK_UNSUPPORTED
