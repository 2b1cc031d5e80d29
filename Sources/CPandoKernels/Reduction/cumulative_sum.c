// Running sums along one dimension.
#include "../Support/half.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_reduction.h"

typedef struct {
  char *dst;
  const char *src;
  int64_t n, inner, size;
  int reverse, exclusive;
  void (*columns)(void *sums, void *dst, const void *src, int64_t columns, int exclusive);
  void (*line)(void *dst, const void *src, int64_t n, int reverse, int exclusive);
} sum_job;

#define COLUMNS 64

// One step of `columns` running sums, and one whole sum along contiguous elements.
#define SUMS(SUFFIX, T, A, LOAD, STORE)                                                                      \
  PK_LEVELS(void, step_##SUFFIX, (void *sums, void *dst, const void *src, int64_t columns, int exclusive),   \
            (sums, dst, src, columns, exclusive)) {                                                          \
    A *sum = sums;                                                                                           \
    T *d = dst;                                                                                              \
    const T *s = src;                                                                                        \
    PK_VECTOR for (int64_t c = 0; c < columns; c++) {                                                        \
      A before = sum[c], after = before + (A)LOAD(s[c]);                                                     \
      sum[c] = after;                                                                                        \
      d[c] = STORE(exclusive ? before : after);                                                              \
    }                                                                                                        \
  }                                                                                                          \
  static void line_##SUFFIX(void *dst, const void *src, int64_t n, int reverse, int exclusive) {             \
    A sum = 0;                                                                                               \
    T *d = dst;                                                                                              \
    const T *s = src;                                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      int64_t place = reverse ? n - 1 - i : i;                                                               \
      A before = sum;                                                                                        \
      sum += (A)LOAD(s[place]);                                                                              \
      d[place] = STORE(exclusive ? before : sum);                                                            \
    }                                                                                                        \
  }
#define TO_FLOAT(x) ((float)(x))
#define TO_BF16(x) pk_to_bf16((float)(x))
#define TO_I32(x) ((int32_t)(x))
#define TO_I64(x) ((int64_t)(x))
SUMS(f32, float, double, , TO_FLOAT)
SUMS(f64, double, double, , )
SUMS(bf16, uint16_t, double, pk_from_bf16, TO_BF16)
SUMS(i32, int32_t, uint32_t, , TO_I32)
SUMS(i64, int64_t, uint64_t, , TO_I64)

static void run_lines(void *context, int64_t begin, int64_t end) {
  const sum_job *job = context;
  int64_t blocks = pk_ceil_div(job->inner, COLUMNS);
  for (int64_t item = begin; item < end; item++) {
    int64_t outer = item / blocks, first = item % blocks * COLUMNS;
    int64_t columns = pk_min64(COLUMNS, job->inner - first);
    if (job->inner == 1) {
      int64_t offset = outer * job->n * job->size;
      job->line(job->dst + offset, job->src + offset, job->n, job->reverse, job->exclusive);
      continue;
    }
    // Zero bits are 0 in every accumulator's type.
    uint64_t sums[COLUMNS] = {0};
    for (int64_t i = 0; i < job->n; i++) {
      int64_t place = job->reverse ? job->n - 1 - i : i;
      int64_t offset = ((outer * job->n + place) * job->inner + first) * job->size;
      job->columns(sums, job->dst + offset, job->src + offset, columns, job->exclusive);
    }
  }
}

pk_status pk_cumulative_sum(void *dst, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                            int64_t inner, int reverse, int exclusive, int threads) {
  sum_job job = {dst, src, n, inner, (int64_t)pk_size(dtype), reverse, exclusive, NULL, NULL};
  switch (dtype) {
    case PK_F32: job.columns = step_f32, job.line = line_f32; break;
    case PK_F64: job.columns = step_f64, job.line = line_f64; break;
    case PK_BF16: job.columns = step_bf16, job.line = line_bf16; break;
    case PK_I32: job.columns = step_i32, job.line = line_i32; break;
    case PK_I64: job.columns = step_i64, job.line = line_i64; break;
    default: return PK_UNSUPPORTED;
  }
  pk_parallel_ranges(pk_useful_threads(threads, outer * n * inner), outer * pk_ceil_div(inner, COLUMNS),
                     run_lines, &job);
  return PK_OK;
}
