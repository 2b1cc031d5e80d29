// Attention of bfloat16 operands, forward: as forward.c, with products of bfloat16 pairs. Scores, their
// softmax and all sums are float32; only the exponentials are rounded, as factors of the values.
#include "low.h"

int pk_attention_has_low(const pk_attention *x) {
#if defined(__x86_64__)
  return x->width % 16 == 0 && x->scale > 0 && pk_level == PK_ISA_AVX512 &&
         __builtin_cpu_supports("avx512bf16");
#else
  (void)x;
  return 0;
#endif
}

#if defined(__x86_64__)

typedef struct {
  const pk_attention *x;
  uint16_t *out;
  float *lse;
  const uint16_t *q, *k, *v;
  char *workspace;
  int64_t items, blocks, share;
  atomic_llong next;
} forward_job;

// One thread's scratch memory: queries and values as pairs, scores, exponentials as pairs, sums.
typedef struct {
  uint32_t *queries, *values, *powers;
  float *scores, *sum;
} scratch;

static int64_t share_of(const pk_attention *x) {
  int64_t words = TILE / 2 * x->width * 2 + TILE / 2 * TILE;
  return (words + TILE * TILE + TILE * x->width) * (int64_t)sizeof(float);
}

size_t pk_attention_low_forward_workspace(const pk_attention *x, int threads) {
  return (size_t)(share_of(x) * (threads < 1 ? 1 : threads));
}

// Turns scores [keys, TILE], yet to be scaled, into exponentials less the new running maximum, as pairs of
// keys and rounded. `factor` is what earlier sums are to be multiplied by.
PK_LOW static void renew(uint32_t *powers, const float *scores, int64_t keys, float scale, float *maximum,
                         float *total, float *factor) {
  __m512 by = _mm512_set1_ps(scale), none = _mm512_set1_ps(-INFINITY);
  for (int i = 0; i < TILE; i += 16) {
    __m512 before = _mm512_loadu_ps(maximum + i), top = before;
    for (int64_t j = 0; j < keys; j++) {
      top = _mm512_max_ps(top, _mm512_mul_ps(_mm512_loadu_ps(scores + j * TILE + i), by));
    }
    // A query that has seen no key yet has no maximum to subtract.
    __m512 shift = _mm512_mask_mov_ps(top, _mm512_cmp_ps_mask(top, none, _CMP_EQ_OQ), _mm512_setzero_ps());
    __m512 decay = pk_low_exp(_mm512_sub_ps(before, shift)), sum = _mm512_setzero_ps();
    for (int64_t j = 0; j < keys; j += 2) {
      const float *row = scores + j * TILE + i;
      __m512 first = pk_low_exp(_mm512_fmsub_ps(_mm512_loadu_ps(row), by, shift)),
             second = _mm512_setzero_ps();
      if (j + 1 < keys) second = pk_low_exp(_mm512_fmsub_ps(_mm512_loadu_ps(row + TILE), by, shift));
      sum = _mm512_add_ps(sum, _mm512_add_ps(first, second));
      _mm512_storeu_si512(powers + j / 2 * TILE + i, pk_low_words(first, second));
    }
    _mm512_storeu_ps(maximum + i, top);
    _mm512_storeu_ps(factor + i, decay);
    _mm512_storeu_ps(total + i, _mm512_fmadd_ps(_mm512_loadu_ps(total + i), decay, sum));
  }
}

PK_LOW static void scale_rows(float *x, const float *factors, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    float factor = factors[r];
    PK_VECTOR for (int64_t d = 0; d < width; d++) x[r * width + d] *= factor;
  }
}

static void attend(const forward_job *job, const scratch *s, int64_t item) {
  const pk_attention *x = job->x;
  int64_t block = item % job->blocks, head = item / job->blocks % x->heads,
          batch = item / job->blocks / x->heads;
  int64_t shared = head / (x->heads / x->kv_heads), width = x->width;
  // The longest blocks of a causal attention come first, so that threads finish together.
  if (x->causal) block = job->blocks - 1 - block;
  int64_t query = block * TILE, rows = pk_min64(TILE, x->queries - query);
  const uint16_t *q = job->q + batch * x->q.batch + head * x->q.head + query * x->q.row;
  const uint16_t *k = job->k + batch * x->k.batch + shared * x->k.head;
  const uint16_t *v = job->v + batch * x->v.batch + shared * x->v.head;
  pk_low_pair_columns(s->queries, q, x->q.row, rows, width);
  memset(s->sum, 0, (size_t)(TILE * width) * sizeof(float));
  float maximum[TILE], total[TILE], factor[TILE];
  for (int i = 0; i < TILE; i++) {
    maximum[i] = -INFINITY;
    total[i] = 0;
  }
  int64_t visible = pk_visible_keys(x, query, rows);
  for (int64_t key = 0; key < visible; key += TILE) {
    int64_t keys = pk_min64(TILE, visible - key), even = (keys + 1) / 2 * 2;
    memset(s->scores, 0, (size_t)(keys * TILE) * sizeof(float));
    const pk_word *left = (const pk_word *)(const void *)(k + key * x->k.row);
    pk_low_product(s->scores, TILE, left, x->k.row / 2, 1, s->queries, keys, TILE, width / 2);
    pk_hide(s->scores, x, query, key, keys);
    renew(s->powers, s->scores, keys, (float)x->scale, maximum, total, factor);
    if (key > 0) scale_rows(s->sum, factor, rows, width);
    pk_low_pair_rows(s->values, v + key * x->v.row, x->v.row, keys, even, width);
    pk_low_product(s->sum, width, s->powers, 1, TILE, s->values, rows, width, even / 2);
  }
  uint16_t *out = job->out + batch * x->out.batch + head * x->out.head + query * x->out.row;
  for (int64_t i = 0; i < rows; i++) {
    pk_low_round(out + i * x->out.row, s->sum + i * width, total[i] == 0 ? 0 : 1 / total[i], width);
    if (job->lse) {
      float shift = maximum[i] == -INFINITY ? 0 : maximum[i];
      job->lse[(batch * x->heads + head) * x->queries + query + i] = shift + logf(total[i]);
    }
  }
}

// One worker, with its own scratch memory, takes one item after the other.
static void run_workers(void *context, int64_t begin, int64_t end) {
  forward_job *job = context;
  int64_t width = job->x->width;
  for (int64_t worker = begin; worker < end; worker++) {
    uint32_t *memory = (uint32_t *)(void *)(job->workspace + worker * job->share);
    scratch s = {.queries = memory};
    s.values = s.queries + TILE / 2 * width;
    s.powers = s.values + TILE / 2 * width;
    s.scores = (float *)(void *)(s.powers + TILE / 2 * TILE);
    s.sum = s.scores + TILE * TILE;
    for (;;) {
      int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
      if (item >= job->items) break;
      attend(job, &s, item);
    }
  }
}

#endif

pk_status pk_attention_low_forward(uint16_t *out, float *lse, const uint16_t *q, const uint16_t *k,
                                   const uint16_t *v, const pk_attention *attention, void *workspace,
                                   int threads) {
  const pk_attention *x = attention;
  if (x->kv_heads < 1 || x->heads % x->kv_heads != 0) return PK_INVALID;
  if (!pk_attention_has_low(x)) return PK_UNSUPPORTED;
#if defined(__x86_64__)
  int64_t blocks = pk_ceil_div(x->queries, TILE);
  forward_job job = {.x = x,
                     .out = out,
                     .lse = lse,
                     .q = q,
                     .k = k,
                     .v = v,
                     .workspace = workspace,
                     .items = x->batch * x->heads * blocks,
                     .blocks = blocks,
                     .share = share_of(x)};
  int64_t work = x->batch * x->heads * x->queries * x->keys * x->width / 8;
  int64_t workers = pk_min64(pk_useful_threads(threads, work), job.items);
  pk_parallel_ranges((int)workers, workers, run_workers, &job);
#else
  (void)out, (void)lse, (void)q, (void)k, (void)v, (void)workspace, (void)threads;
#endif
  return PK_OK;
}
