// Includes BODY once for each storage type. NAME gives each function a name of its own. With PARAMETERS
// defined, BODY has parameters of type P, and is also included for bfloat16 rows with float32 parameters.
#define PK_JOIN_(a, b) a##_##b
#define PK_JOIN(a, b) PK_JOIN_(a, b)

#define S float
#define P float
#define LOAD(x) (x)
#define STORE(x) (x)
#define LOAD_PARAMETER(x) (x)
#define STORE_PARAMETER(x) (x)
#define NARROW 0
#define NAME(x) PK_JOIN(x, f32)
#include BODY
#undef S
#undef P
#undef LOAD
#undef STORE
#undef LOAD_PARAMETER
#undef STORE_PARAMETER
#undef NARROW
#undef NAME

#define S uint16_t
#define P uint16_t
#define LOAD(x) pk_from_bf16(x)
#define STORE(x) pk_to_bf16(x)
#define LOAD_PARAMETER(x) pk_from_bf16(x)
#define STORE_PARAMETER(x) pk_to_bf16(x)
#define NARROW 1
#define NAME(x) PK_JOIN(x, bf16)
#include BODY
#ifdef PARAMETERS
#undef P
#undef LOAD_PARAMETER
#undef STORE_PARAMETER
#undef NAME
#define P float
#define LOAD_PARAMETER(x) (x)
#define STORE_PARAMETER(x) (x)
#define NAME(x) PK_JOIN(x, mixed)
#include BODY
#endif
#undef S
#undef P
#undef LOAD
#undef STORE
#undef LOAD_PARAMETER
#undef STORE_PARAMETER
#undef NARROW
#undef NAME

// The function for `dtype`, or an early return.
#define PK_CHOOSE_ROW(FUNCTION, NAME)                                                                        \
  pk_range_fn FUNCTION = dtype == PK_F32 ? NAME##_f32 : dtype == PK_BF16 ? NAME##_bf16 : NULL;               \
  if (!FUNCTION) return PK_UNSUPPORTED

// The function for rows of `dtype` with parameters of `parameters`, or an early return.
#define PK_CHOOSE_PARAMETERS(FUNCTION, NAME)                                                                 \
  pk_range_fn FUNCTION = NULL;                                                                               \
  if (dtype == PK_F32 && parameters == PK_F32) FUNCTION = NAME##_f32;                                        \
  if (dtype == PK_BF16 && parameters == PK_BF16) FUNCTION = NAME##_bf16;                                     \
  if (dtype == PK_BF16 && parameters == PK_F32) FUNCTION = NAME##_mixed;                                     \
  if (!FUNCTION) return PK_UNSUPPORTED
