// What the fuzzers of all families of kernels share. Buffers are exactly as long as a kernel may touch, so
// that AddressSanitizer sees every step beyond; every case runs on one thread and on three, which must agree
// bit by bit.
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pando_kernels.h"

// Uniform bits; the same seed gives the same run.
uint64_t fuzz_bits(void);

// A whole number from 0 to n - 1.
int64_t fuzz_below(int64_t n);

// A size at which loops over vectors and tiles begin or end; 0 now and then; at most `limit`.
int64_t fuzz_size(int64_t limit);

// Memory for `count` elements, aligned as the element type asks and no better. Freed by fuzz_free_all.
void *fuzz_memory(int64_t count, size_t size);

// The same, filled with numbers: small ones, and now and then zeros, infinities, NaN and huge ones.
void *fuzz_numbers(int64_t count, pk_dtype dtype);

// The same of moderate size, so that results are finite.
void *fuzz_tame(int64_t count, pk_dtype dtype);

// Scratch memory of `bytes`, aligned to 64.
void *fuzz_workspace(size_t bytes);

// Stops where the two arrays differ or `status` is not PK_OK.
void fuzz_same(const char *what, const void *a, const void *b, int64_t count, size_t size);
void fuzz_ok(const char *what, pk_status status);

void fuzz_free_all(void);

#define FUZZ_THREADS(t) ((t) == 0 ? 1 : 3)

// One random case of each family.
void fuzz_rows(void);
void fuzz_channels(void);
void fuzz_attention(void);
void fuzz_movement(void);
void fuzz_indexing(void);
void fuzz_reduction(void);
void fuzz_ordering(void);
void fuzz_pooling(void);
void fuzz_contraction(void);
void fuzz_stream(void);
void fuzz_tile(void);
void fuzz_sweeps(void);
void fuzz_winograd(void);

#endif
