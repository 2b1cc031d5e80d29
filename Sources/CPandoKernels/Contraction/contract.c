#include "pk_contract.h"

#include "../Support/half.h"
#include "../Support/parallel.h"

typedef struct contraction {
  char *dst;
  const char *a, *b;
  pk_dtype dtype;
  int outer_rank, sum_rank;
  const int64_t *outer_shape, *a_outer, *b_outer, *dst_outer, *sum_shape, *a_sum, *b_sum;
  int64_t sum_count;
} contraction;

static double load(const char *base, int64_t index, pk_dtype dtype) {
  switch (dtype) {
    case PK_F32: return ((const float *)base)[index];
    case PK_F64: return ((const double *)base)[index];
    case PK_BF16: return pk_from_bf16(((const uint16_t *)base)[index]);
    case PK_F16: return pk_from_f16(((const uint16_t *)base)[index]);
    default: return 0;
  }
}

static int64_t load_integer(const char *base, int64_t index, pk_dtype dtype) {
  switch (dtype) {
    case PK_I64: return ((const int64_t *)base)[index];
    case PK_I32: return ((const int32_t *)base)[index];
    case PK_I8: return ((const int8_t *)base)[index];
    case PK_U8: return ((const uint8_t *)base)[index];
    default: return 0;
  }
}

static void store(const contraction *c, int64_t index, double real, uint64_t integer) {
  switch (c->dtype) {
    case PK_F32: ((float *)c->dst)[index] = (float)real; break;
    case PK_F64: ((double *)c->dst)[index] = real; break;
    case PK_BF16: ((uint16_t *)c->dst)[index] = pk_to_bf16((float)real); break;
    case PK_F16: ((uint16_t *)c->dst)[index] = pk_to_f16((float)real); break;
    case PK_I64: ((int64_t *)c->dst)[index] = (int64_t)integer; break;
    case PK_I32: ((int32_t *)c->dst)[index] = (int32_t)integer; break;
    case PK_I8: ((int8_t *)c->dst)[index] = (int8_t)integer; break;
    case PK_U8: ((uint8_t *)c->dst)[index] = (uint8_t)integer; break;
    case PK_BOOL: break;
  }
}

// One result element: the sum over all summed dimensions, the innermost in a plain loop.
static void sum_element(const contraction *c, int64_t a, int64_t b, int64_t dst) {
  int is_real = c->dtype == PK_F32 || c->dtype == PK_F64 || c->dtype == PK_BF16 || c->dtype == PK_F16;
  int last = c->sum_rank - 1;
  int64_t n = c->sum_rank ? c->sum_shape[last] : 1;
  int64_t a_step = c->sum_rank ? c->a_sum[last] : 0, b_step = c->sum_rank ? c->b_sum[last] : 0;
  double real = 0;
  uint64_t integer = 0;
  for (int64_t block = 0; block < (n ? c->sum_count / n : 0); block++) {
    int64_t at = a, bt = b, rest = block;
    for (int d = last - 1; d >= 0; d--) {
      at += rest % c->sum_shape[d] * c->a_sum[d];
      bt += rest % c->sum_shape[d] * c->b_sum[d];
      rest /= c->sum_shape[d];
    }
    for (int64_t i = 0; i < n; i++, at += a_step, bt += b_step) {
      if (is_real) {
        real += load(c->a, at, c->dtype) * load(c->b, bt, c->dtype);
      } else {
        integer += (uint64_t)load_integer(c->a, at, c->dtype) * (uint64_t)load_integer(c->b, bt, c->dtype);
      }
    }
  }
  store(c, dst, real, integer);
}

static void run(void *context, int64_t begin, int64_t end) {
  const contraction *c = context;
  for (int64_t index = begin; index < end; index++) {
    int64_t rest = index, a = 0, b = 0, dst = 0;
    for (int d = c->outer_rank - 1; d >= 0; d--) {
      int64_t place = rest % c->outer_shape[d];
      rest /= c->outer_shape[d];
      a += place * c->a_outer[d];
      b += place * c->b_outer[d];
      dst += place * c->dst_outer[d];
    }
    sum_element(c, a, b, dst);
  }
}

pk_status pk_contract(void *dst, const void *a, const void *b, pk_dtype dtype, int outer_rank,
                      const int64_t *outer_shape, const int64_t *a_outer, const int64_t *b_outer,
                      const int64_t *dst_outer, int sum_rank, const int64_t *sum_shape, const int64_t *a_sum,
                      const int64_t *b_sum, int threads) {
  if (dtype == PK_BOOL) return PK_UNSUPPORTED;
  if (outer_rank < 0 || outer_rank > PK_MAX_RANK || sum_rank < 0 || sum_rank > PK_MAX_RANK) return PK_INVALID;
  contraction c = {dst,     a,       b,         dtype,     outer_rank, sum_rank, outer_shape,
                   a_outer, b_outer, dst_outer, sum_shape, a_sum,      b_sum,    1};
  int64_t count = 1;
  for (int d = 0; d < outer_rank; d++) count *= outer_shape[d];
  for (int d = 0; d < sum_rank; d++) c.sum_count *= sum_shape[d];
  pk_parallel_ranges(pk_useful_threads(threads, count * c.sum_count), count, run, &c);
  return PK_OK;
}
