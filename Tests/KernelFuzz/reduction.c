// Reductions, orderings, pooling and contractions.
#include "fuzz.h"

void fuzz_reduction(void) {
  int64_t sizes[5], count = 1;
  for (int i = 0; i < 5; i++) {
    sizes[i] = fuzz_size(i == (int)(fuzz_bits() % 5) ? 1031 : 9);
    if (count * sizes[i] > 200000) sizes[i] = 1;
    count *= sizes[i];
  }
  pk_dtype t = (pk_dtype)fuzz_below(PK_DTYPE_COUNT);
  int64_t kept = sizes[0] * sizes[2] * sizes[4];
  void *x = fuzz_numbers(count, t), *y[2];
  for (int which = 0; which < 6; which++) {
    pk_status status = PK_OK;
    for (int i = 0; i < 2; i++) {
      y[i] = fuzz_memory(kept, pk_size(t));
      status = pk_reduce(y[i], x, sizes, (pk_reduction)which, t, FUZZ_THREADS(i));
    }
    if (status == PK_OK) fuzz_same("reduce", y[0], y[1], kept, pk_size(t));
  }
}

void fuzz_ordering(void) {
  pk_dtype t = (pk_dtype)fuzz_below(PK_DTYPE_COUNT);
  int64_t outer = fuzz_size(17), n = fuzz_size(1031), inner = fuzz_size(n > 100 ? 9 : 65),
          k = fuzz_below(n + 1);
  int64_t count = outer * n * inner;
  void *x = fuzz_numbers(count, t), *values[2], *best[2], *sums[2];
  int32_t *indices[2], *places[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    void *workspace = fuzz_workspace(pk_sort_workspace(n, threads));
    values[i] = fuzz_memory(count, pk_size(t)), indices[i] = fuzz_memory(count, 4);
    best[i] = fuzz_memory(outer * k * inner, pk_size(t)), places[i] = fuzz_memory(outer * inner, 4);
    sums[i] = fuzz_memory(count, pk_size(t));
    fuzz_ok("sort", pk_sort(values[i], indices[i], x, t, outer, n, inner, i & 0, workspace, threads));
    fuzz_ok("top_k", pk_top_k(best[i], NULL, x, t, outer, n, inner, k, workspace, threads));
    if (n > 0) fuzz_ok("arg_extremum", pk_arg_extremum(places[i], PK_I32, x, t, outer, n, inner, 0, threads));
    if (pk_cumulative_sum(sums[i], x, t, outer, n, inner, 1, 1, threads) != PK_OK) {
      memset(sums[i], 0, (size_t)count * pk_size(t));
    }
  }
  fuzz_same("sort", values[0], values[1], count, pk_size(t));
  fuzz_same("sort's indices", indices[0], indices[1], count, 4);
  fuzz_same("top_k", best[0], best[1], outer * k * inner, pk_size(t));
  if (n > 0) fuzz_same("arg_extremum", places[0], places[1], outer * inner, 4);
  fuzz_same("cumulative_sum", sums[0], sums[1], count, pk_size(t));
}

void fuzz_pooling(void) {
  pk_pool p = {.planes = fuzz_size(17)};
  for (int d = 0; d < 2; d++) {
    p.input[d] = fuzz_size(65);
    p.window[d] = fuzz_below(5) + 1;
    p.stride[d] = fuzz_below(3) + 1;
    p.dilation[d] = fuzz_below(3) + 1;
    p.low[d] = fuzz_below(4);
    p.output[d] = fuzz_below(40);
  }
  pk_dtype t = fuzz_below(2) ? PK_F32 : PK_F64;
  int64_t in = p.planes * p.input[0] * p.input[1], out = p.planes * p.output[0] * p.output[1];
  void *x = fuzz_numbers(in, t), *dy = fuzz_tame(out, t), *y[2], *dx[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    y[i] = fuzz_memory(out, pk_size(t)), dx[i] = fuzz_memory(in, pk_size(t));
    fuzz_ok("max_pool", pk_max_pool(y[i], x, &p, t, threads));
    fuzz_ok("max_pool_select", pk_max_pool_select(y[i], x, x, &p, t, threads));
    fuzz_ok("max_pool_backward", pk_max_pool_backward(dx[i], dy, x, &p, t, threads));
  }
  fuzz_same("max_pool", y[0], y[1], out, pk_size(t));
  fuzz_same("max_pool_backward", dx[0], dx[1], in, pk_size(t));
  for (int i = 0; i < 2; i++) {
    fuzz_ok("sum_pool", pk_sum_pool(y[i], x, &p, 0.25, t, FUZZ_THREADS(i)));
    fuzz_ok("sum_pool_backward", pk_sum_pool_backward(dx[i], dy, &p, 0.25, t, FUZZ_THREADS(i)));
  }
  fuzz_same("sum_pool", y[0], y[1], out, pk_size(t));
  fuzz_same("sum_pool_backward", dx[0], dx[1], in, pk_size(t));
}

void fuzz_contraction(void) {
  pk_dtype t = (pk_dtype)fuzz_below(PK_BOOL);
  int64_t m = fuzz_size(33), n = fuzz_size(33), k = fuzz_size(65), batch = fuzz_below(3);
  int64_t outer[] = {batch, m, n}, a_outer[] = {m * k, k, 0}, b_outer[] = {0, 0, 1},
          dst_outer[] = {m * n, n, 1};
  int64_t summed[] = {k}, a_sum[] = {1}, b_sum[] = {n};
  void *a = fuzz_numbers(batch * m * k, t), *b = fuzz_numbers(k * n, t), *c[2];
  for (int i = 0; i < 2; i++) {
    c[i] = fuzz_memory(batch * m * n, pk_size(t));
    fuzz_ok("contract", pk_contract(c[i], a, b, t, 3, outer, a_outer, b_outer, dst_outer, 1, summed, a_sum,
                                    b_sum, FUZZ_THREADS(i)));
  }
  fuzz_same("contract", c[0], c[1], batch * m * n, pk_size(t));
}
