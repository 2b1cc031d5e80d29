/// Scaled dot-product attention in float32, by tiles: the queries-by-keys matrix never exists in memory.
///
/// Dao, Fu, Ermon, Rudra, Ré: FlashAttention (2022); Milakov, Gimelshein: Online normalizer calculation for
/// softmax (2018). Grouped queries: `heads / kv_heads` neighbouring heads share a key and value head.
#ifndef PK_ATTENTION_H
#define PK_ATTENTION_H

#include "pk_types.h"

/// Where element (b, h, t, d) of an operand lies: at b * batch + h * head + t * row + d, in elements.
typedef struct pk_attention_layout {
  int64_t batch, head, row;
} pk_attention_layout;

/// The sizes of an attention.
typedef struct pk_attention {
  int64_t batch, heads, kv_heads;
  /// How many queries and keys there are, and how long each is (values are as long as keys).
  int64_t queries, keys, width;
  /// Scores are multiplied by it: 1 / sqrt(width) as a rule.
  double scale;
  /// Whether query i sees only keys j <= i + offset. An offset of 0 pairs the first query with the first key,
  /// one of keys - queries the last with the last.
  int32_t causal;
  int64_t offset;
  /// Layouts of q [batch, heads, queries, width], k and v [batch, kv_heads, keys, width], and out as q. Their
  /// gradients are laid out as they are.
  pk_attention_layout q, k, v, out;
} pk_attention;

/// The layout of a dense [batch, heads, rows, width] array.
static inline pk_attention_layout pk_attention_dense(int64_t heads, int64_t rows, int64_t width) {
  pk_attention_layout layout = {heads * rows * width, rows * width, width};
  return layout;
}

/// Bytes of scratch memory for the forward or the backward pass on `threads` threads.
size_t pk_attention_workspace(const pk_attention *attention, int threads);

/// `out = softmax(scale * q k^T) v`, and `lse` [batch, heads, queries] (dense), the logarithm of the sum of
/// the exponentials of each query's scores; null where it is not wanted. A query that sees no key gets 0, and
/// lse -infinity. Returns `PK_INVALID` where `kv_heads` does not divide `heads`.
pk_status pk_attention_forward(float *out, float *lse, const float *q, const float *k, const float *v,
                               const pk_attention *attention, void *workspace, int threads);

/// Gradients by q, k and v, from the results `out` and `lse` of the forward pass. Scores are computed again,
/// tile by tile. Each thread works on tiles of keys, and adds to the gradients of queries in the keys' order.
pk_status pk_attention_backward(float *dq, float *dk, float *dv, const float *dout, const float *q,
                                const float *k, const float *v, const float *out, const float *lse,
                                const pk_attention *attention, void *workspace, int threads);

/// Whether this processor multiplies pairs of bfloat16 and an attention's sizes suit that: `width` a multiple of
/// 16, `scale` positive. Where it does not, widen the operands.
int pk_attention_has_low(const pk_attention *attention);

/// Bytes of scratch memory for the passes below; that of the backward pass grows with the number of keys.
size_t pk_attention_low_forward_workspace(const pk_attention *attention, int threads);
size_t pk_attention_low_backward_workspace(const pk_attention *attention, int threads);

/// As `pk_attention_forward`, with bfloat16 operands and result. Products are of bfloat16 numbers and summed in
/// float32; scores and softmax are float32. Returns `PK_UNSUPPORTED` where `pk_attention_has_low` says no.
pk_status pk_attention_low_forward(uint16_t *out, float *lse, const uint16_t *q, const uint16_t *k,
                                   const uint16_t *v, const pk_attention *attention, void *workspace,
                                   int threads);

/// As `pk_attention_backward`, with bfloat16 operands and results, under the same condition.
pk_status pk_attention_low_backward(uint16_t *dq, uint16_t *dk, uint16_t *dv, const uint16_t *dout,
                                    const uint16_t *q, const uint16_t *k, const uint16_t *v,
                                    const uint16_t *out, const float *lse, const pk_attention *attention,
                                    void *workspace, int threads);

#endif
