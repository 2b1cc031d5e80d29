// How a loop becomes vector code: one portable source, compiled for three x86-64 levels and chosen at load
// time.
#ifndef PK_SIMD_H
#define PK_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// On a function with a hot loop. Everything that it calls inside the loop must be PK_INLINE, because only
// inlined code is compiled for the level of the clone.
#if defined(__x86_64__)
#define PK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PK_CLONES
#endif

#define PK_INLINE static inline __attribute__((always_inline))

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
