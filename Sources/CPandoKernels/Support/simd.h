// How a loop becomes vector code: one portable source, compiled for three levels of x86-64.
#ifndef PK_SIMD_H
#define PK_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pk_isa.h"

// The level whose code runs: set before `main`, by level.c alone.
extern pk_isa pk_level;

#define PK_INLINE static inline __attribute__((always_inline))

// Defines a static function with a hot loop: `PK_LEVELS(float, sum, (const float *x, int64_t n), (x, n)) { … }`.
// Its body is compiled once for each instruction set, and a call goes to the one in use. Everything that it
// calls inside the loop must be PK_INLINE, because only inlined code is compiled for the level. (The compiler's
// target_clones choose by themselves, which would leave no way to test the other levels.)
#define PK_LEVELS(RESULT, NAME, PARAMETERS, ARGUMENTS) PK_LEVELS_(RESULT, NAME, PARAMETERS, ARGUMENTS)

#if defined(__x86_64__)
// Tuned for vectors of 512 bits, which the compiler otherwise halves.
#define PK_AVX512 __attribute__((target("arch=x86-64-v4,tune=znver4")))
#define PK_AVX2 __attribute__((target("arch=x86-64-v3")))
#define PK_LEVELS_(RESULT, NAME, PARAMETERS, ARGUMENTS)                                                      \
  PK_INLINE RESULT NAME##_body PARAMETERS;                                                                   \
  PK_AVX512 static RESULT NAME##_avx512 PARAMETERS { return NAME##_body ARGUMENTS; }                         \
  PK_AVX2 static RESULT NAME##_avx2 PARAMETERS { return NAME##_body ARGUMENTS; }                             \
  static RESULT NAME##_plain PARAMETERS { return NAME##_body ARGUMENTS; }                                    \
  static RESULT NAME PARAMETERS {                                                                            \
    if (pk_level == PK_ISA_AVX512) return NAME##_avx512 ARGUMENTS;                                           \
    if (pk_level == PK_ISA_AVX2) return NAME##_avx2 ARGUMENTS;                                               \
    return NAME##_plain ARGUMENTS;                                                                           \
  }                                                                                                          \
  PK_INLINE RESULT NAME##_body PARAMETERS
#else
#define PK_LEVELS_(RESULT, NAME, PARAMETERS, ARGUMENTS) static RESULT NAME PARAMETERS
#endif

// For loops that need no testing level by level: the best level always runs.
#if defined(__x86_64__)
#define PK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PK_CLONES
#endif

// Before a loop whose iterations are independent, even where pointers are equal: spares the compiler's
// overlap checks.
#define PK_VECTOR _Pragma("clang loop vectorize(assume_safety)")

// The same for loops that are often short or whose loads skip elements: one vector at a time, because what is
// left over by several at a time would run element by element.
#define PK_VECTOR_SHORT _Pragma("clang loop vectorize(assume_safety) interleave_count(1)")

// At the start of a block: sums may be taken in the order that suits the vector unit. The order is fixed when
// the kernel is compiled, so results are the same in every run and on any number of threads.
#define PK_REASSOCIATE _Pragma("clang fp reassociate(on)")

PK_INLINE uint32_t pk_bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

PK_INLINE float pk_float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

PK_INLINE uint64_t pk_bits_of_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  return bits;
}

PK_INLINE double pk_double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, 8);
  return x;
}

PK_INLINE int64_t pk_min64(int64_t a, int64_t b) { return a < b ? a : b; }
PK_INLINE int64_t pk_max64(int64_t a, int64_t b) { return a > b ? a : b; }
PK_INLINE int64_t pk_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif
