// Attention, in float32 and, where the processor can, in bfloat16.
#include "fuzz.h"

#include <math.h>

static pk_attention shape(int64_t width) {
  pk_attention x = {0};
  x.batch = fuzz_below(2) + 1;
  x.kv_heads = fuzz_below(2) + 1;
  x.heads = x.kv_heads * (fuzz_below(2) + 1);
  x.queries = fuzz_size(257);
  x.keys = fuzz_size(257);
  x.width = width;
  x.scale = 1 / sqrt((double)width);
  x.causal = fuzz_below(3) > 0;
  x.offset = fuzz_below(2) ? x.keys - x.queries : fuzz_below(100) - 50;
  x.q = x.out = pk_attention_dense(x.heads, x.queries, width);
  x.k = x.v = pk_attention_dense(x.kv_heads, x.keys, width);
  return x;
}

static void fuzz_full(void) {
  pk_attention x = shape(fuzz_below(80) + 1);
  int64_t rows = x.batch * x.heads * x.queries, q_count = rows * x.width;
  int64_t k_count = x.batch * x.kv_heads * x.keys * x.width;
  float *q = fuzz_tame(q_count, PK_F32), *dout = fuzz_tame(q_count, PK_F32);
  float *k = fuzz_tame(k_count, PK_F32), *v = fuzz_tame(k_count, PK_F32);
  float *out[2], *dq[2], *dk[2], *dv[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    void *workspace = fuzz_workspace(pk_attention_workspace(&x, threads));
    float *lse = fuzz_memory(rows, 4);
    out[i] = fuzz_memory(q_count, 4), dq[i] = fuzz_memory(q_count, 4);
    dk[i] = fuzz_memory(k_count, 4), dv[i] = fuzz_memory(k_count, 4);
    fuzz_ok("attention_forward", pk_attention_forward(out[i], lse, q, k, v, &x, workspace, threads));
    fuzz_ok("attention_backward",
            pk_attention_backward(dq[i], dk[i], dv[i], dout, q, k, v, out[i], lse, &x, workspace, threads));
  }
  fuzz_same("attention", out[0], out[1], q_count, 4);
  fuzz_same("attention's dq", dq[0], dq[1], q_count, 4);
  fuzz_same("attention's dk", dk[0], dk[1], k_count, 4);
  fuzz_same("attention's dv", dv[0], dv[1], k_count, 4);
}

static void fuzz_low(void) {
  pk_attention x = shape(16 * (fuzz_below(5) + 1));
  if (!pk_attention_has_low(&x)) return;
  int64_t rows = x.batch * x.heads * x.queries, q_count = rows * x.width;
  int64_t k_count = x.batch * x.kv_heads * x.keys * x.width;
  uint16_t *q = fuzz_tame(q_count, PK_BF16), *dout = fuzz_tame(q_count, PK_BF16);
  uint16_t *k = fuzz_tame(k_count, PK_BF16), *v = fuzz_tame(k_count, PK_BF16);
  uint16_t *out[2], *dq[2], *dk[2], *dv[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    float *lse = fuzz_memory(rows, 4);
    out[i] = fuzz_memory(q_count, 2), dq[i] = fuzz_memory(q_count, 2);
    dk[i] = fuzz_memory(k_count, 2), dv[i] = fuzz_memory(k_count, 2);
    void *workspace = fuzz_workspace(pk_attention_low_forward_workspace(&x, threads));
    fuzz_ok("attention_low_forward", pk_attention_low_forward(out[i], lse, q, k, v, &x, workspace, threads));
    workspace = fuzz_workspace(pk_attention_low_backward_workspace(&x, threads));
    fuzz_ok("attention_low_backward", pk_attention_low_backward(dq[i], dk[i], dv[i], dout, q, k, v, out[i],
                                                                lse, &x, workspace, threads));
  }
  fuzz_same("attention_low", out[0], out[1], q_count, 2);
  fuzz_same("attention_low's dq", dq[0], dq[1], q_count, 2);
  fuzz_same("attention_low's dk", dk[0], dk[1], k_count, 2);
  fuzz_same("attention_low's dv", dv[0], dv[1], k_count, 2);
}

void fuzz_attention(void) {
  fuzz_full();
  fuzz_low();
}
