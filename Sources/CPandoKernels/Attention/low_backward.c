// Attention of bfloat16 operands, backward: as backward.c, with products of bfloat16 pairs. Probabilities and
// their gradients are rounded, as factors; the gradients of keys and values are summed in float32 over all
// queries and rounded once.
#include "low.h"

#if defined(__x86_64__)

typedef struct {
  const pk_attention *x;
  uint16_t *dq, *dk, *dv;
  const uint16_t *dout, *q, *k, *v, *out;
  const float *lse;
  char *workspace;
  int64_t items, share;
  atomic_llong next;
} backward_job;

// One thread's scratch memory: a tile of queries and of dO as pairs of elements and as pairs of rows, a tile
// of keys as pairs of rows; probabilities and their gradients [keys, TILE] in float32, then rounded, and the
// latter as pairs of keys; sums of dQ for the tile, of dK and dV for all keys.
typedef struct {
  uint32_t *q_columns, *q_rows, *do_columns, *do_rows, *k_rows, *ds_pairs;
  uint16_t *p_low, *ds_low;
  float *p, *ds, *dq, *dk, *dv;
} scratch;

static int64_t share_of(const pk_attention *x) {
  int64_t words = 5 * TILE / 2 * x->width + 3 * TILE / 2 * TILE;
  int64_t floats = 2 * TILE * TILE + TILE * x->width + 2 * x->keys * x->width;
  return (words + floats) * (int64_t)sizeof(float);
}

size_t pk_attention_low_backward_workspace(const pk_attention *x, int threads) {
  return (size_t)(share_of(x) * (threads < 1 ? 1 : threads));
}

// p = exp(scale * p - lse), ds = p * (ds - delta), for two rows of keys at a time. Both are stored as rows,
// ds also as pairs of keys.
PK_LOW static void differentiate(const scratch *s, float scale, const float *lse, const float *delta,
                                 int64_t keys) {
  __m512 by = _mm512_set1_ps(scale);
  for (int i = 0; i < TILE; i += 16) {
    __m512 level = _mm512_loadu_ps(lse + i), mean = _mm512_loadu_ps(delta + i);
    for (int64_t j = 0; j < keys; j += 2) {
      __m512 ds[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
      for (int64_t r = 0; r < 2 && j + r < keys; r++) {
        int64_t at = (j + r) * TILE + i;
        __m512 p = pk_low_exp(_mm512_fmsub_ps(_mm512_loadu_ps(s->p + at), by, level));
        ds[r] = _mm512_mul_ps(p, _mm512_sub_ps(_mm512_loadu_ps(s->ds + at), mean));
        _mm256_storeu_si256((__m256i *)(void *)(s->p_low + at), (__m256i)_mm512_cvtneps_pbh(p));
        _mm256_storeu_si256((__m256i *)(void *)(s->ds_low + at), (__m256i)_mm512_cvtneps_pbh(ds[r]));
      }
      _mm512_storeu_si512(s->ds_pairs + j / 2 * TILE + i, pk_low_words(ds[0], ds[1]));
    }
  }
}

PK_LOW static float dot(const uint16_t *a, const uint16_t *b, int64_t n) {
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < n; i += 16) {
    __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(a + i)));
    __m512i y = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(b + i)));
    sum = _mm512_fmadd_ps((__m512)_mm512_slli_epi32(x, 16), (__m512)_mm512_slli_epi32(y, 16), sum);
  }
  return _mm512_reduce_add_ps(sum);
}

// One tile of queries of one head against all keys.
static void differentiate_block(const backward_job *job, const scratch *s, int64_t batch, int64_t head,
                                int64_t query) {
  const pk_attention *x = job->x;
  int64_t shared = head / (x->heads / x->kv_heads), width = x->width;
  int64_t rows = pk_min64(TILE, x->queries - query);
  int64_t q_offset = batch * x->q.batch + head * x->q.head + query * x->q.row;
  int64_t out_offset = batch * x->out.batch + head * x->out.head + query * x->out.row;
  const uint16_t *k = job->k + batch * x->k.batch + shared * x->k.head;
  const uint16_t *v = job->v + batch * x->v.batch + shared * x->v.head;
  const uint16_t *dout = job->dout + out_offset, *out = job->out + out_offset, *q = job->q + q_offset;
  pk_low_pair_columns(s->q_columns, q, x->q.row, rows, width);
  pk_low_pair_rows(s->q_rows, q, x->q.row, rows, TILE, width);
  pk_low_pair_columns(s->do_columns, dout, x->out.row, rows, width);
  pk_low_pair_rows(s->do_rows, dout, x->out.row, rows, TILE, width);
  float lse[TILE], delta[TILE];
  for (int64_t i = 0; i < TILE; i++) {
    // Queries beyond the last, and those that see no key, have no probabilities.
    float value = i < rows ? job->lse[(batch * x->heads + head) * x->queries + query + i] : -INFINITY;
    lse[i] = value == -INFINITY ? INFINITY : value;
    delta[i] = i < rows ? dot(dout + i * x->out.row, out + i * x->out.row, width) : 0;
  }
  memset(s->dq, 0, (size_t)(TILE * width) * sizeof(float));
  int64_t visible = pk_visible_keys(x, query, rows);
  for (int64_t key = 0; key < visible; key += TILE) {
    int64_t keys = pk_min64(TILE, visible - key), even = (keys + 1) / 2 * 2;
    const pk_word *k_words = (const pk_word *)(const void *)(k + key * x->k.row);
    const pk_word *v_words = (const pk_word *)(const void *)(v + key * x->v.row);
    memset(s->p, 0, (size_t)(keys * TILE) * sizeof(float));
    memset(s->ds, 0, (size_t)(keys * TILE) * sizeof(float));
    pk_low_product(s->p, TILE, k_words, x->k.row / 2, 1, s->q_columns, keys, TILE, width / 2);
    pk_hide(s->p, x, query, key, keys);
    pk_low_product(s->ds, TILE, v_words, x->v.row / 2, 1, s->do_columns, keys, TILE, width / 2);
    differentiate(s, (float)x->scale, lse, delta, keys);
    const pk_word *p_words = (const pk_word *)(const void *)s->p_low;
    const pk_word *ds_words = (const pk_word *)(const void *)s->ds_low;
    pk_low_product(s->dv + key * width, width, p_words, TILE / 2, 1, s->do_rows, keys, width, TILE / 2);
    pk_low_product(s->dk + key * width, width, ds_words, TILE / 2, 1, s->q_rows, keys, width, TILE / 2);
    pk_low_pair_rows(s->k_rows, k + key * x->k.row, x->k.row, keys, even, width);
    pk_low_product(s->dq, width, s->ds_pairs, 1, TILE, s->k_rows, rows, width, even / 2);
  }
  uint16_t *dq = job->dq + q_offset;
  for (int64_t i = 0; i < rows; i++)
    pk_low_round(dq + i * x->q.row, s->dq + i * width, (float)x->scale, width);
}

// One key and value head of one batch element.
static void differentiate_head(const backward_job *job, const scratch *s, int64_t item) {
  const pk_attention *x = job->x;
  int64_t shared = item % x->kv_heads, batch = item / x->kv_heads, group = x->heads / x->kv_heads;
  memset(s->dk, 0, (size_t)(2 * x->keys * x->width) * sizeof(float));
  for (int64_t head = shared * group; head < (shared + 1) * group; head++) {
    for (int64_t query = 0; query < x->queries; query += TILE)
      differentiate_block(job, s, batch, head, query);
  }
  uint16_t *dk = job->dk + batch * x->k.batch + shared * x->k.head;
  uint16_t *dv = job->dv + batch * x->v.batch + shared * x->v.head;
  for (int64_t j = 0; j < x->keys; j++) {
    pk_low_round(dk + j * x->k.row, s->dk + j * x->width, (float)x->scale, x->width);
    pk_low_round(dv + j * x->v.row, s->dv + j * x->width, 1, x->width);
  }
}

static void run_workers(void *context, int64_t begin, int64_t end) {
  backward_job *job = context;
  int64_t width = job->x->width;
  for (int64_t worker = begin; worker < end; worker++) {
    uint32_t *memory = (uint32_t *)(void *)(job->workspace + worker * job->share);
    scratch s;
    uint32_t **pairs[] = {&s.q_columns, &s.q_rows, &s.do_columns, &s.do_rows, &s.k_rows};
    for (int i = 0; i < 5; i++, memory += TILE / 2 * width) *pairs[i] = memory;
    s.ds_pairs = memory;
    s.p_low = (uint16_t *)(void *)(s.ds_pairs + TILE / 2 * TILE);
    s.ds_low = s.p_low + TILE * TILE;
    s.p = (float *)(void *)(s.ds_low + TILE * TILE);
    s.ds = s.p + TILE * TILE;
    s.dq = s.ds + TILE * TILE;
    s.dk = s.dq + TILE * width;
    s.dv = s.dk + job->x->keys * width;
    for (;;) {
      int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
      if (item >= job->items) break;
      differentiate_head(job, &s, item);
    }
  }
}

#endif

pk_status pk_attention_low_backward(uint16_t *dq, uint16_t *dk, uint16_t *dv, const uint16_t *dout,
                                    const uint16_t *q, const uint16_t *k, const uint16_t *v,
                                    const uint16_t *out, const float *lse, const pk_attention *attention,
                                    void *workspace, int threads) {
  const pk_attention *x = attention;
  if (x->kv_heads < 1 || x->heads % x->kv_heads != 0) return PK_INVALID;
  if (!pk_attention_has_low(x)) return PK_UNSUPPORTED;
#if defined(__x86_64__)
  backward_job job = {.x = x,
                      .dq = dq,
                      .dk = dk,
                      .dv = dv,
                      .dout = dout,
                      .q = q,
                      .k = k,
                      .v = v,
                      .out = out,
                      .lse = lse,
                      .workspace = workspace,
                      .items = x->batch * x->kv_heads,
                      .share = share_of(x)};
  int64_t work = x->batch * x->heads * x->queries * x->keys * x->width / 4;
  int64_t workers = pk_min64(pk_useful_threads(threads, work), job.items);
  pk_parallel_ranges((int)workers, workers, run_workers, &job);
#else
  (void)dq, (void)dk, (void)dv, (void)dout, (void)q, (void)k, (void)v, (void)out, (void)lse;
  (void)workspace, (void)threads;
#endif
  return PK_OK;
}
