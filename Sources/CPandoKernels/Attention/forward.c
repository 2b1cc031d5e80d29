// Attention, forward: a tile of queries meets one tile of keys after the other, keeping a running maximum and
// sum.
#include "tiles.h"

typedef struct {
  const pk_attention *x;
  float *out, *lse;
  const float *q, *k, *v;
  char *workspace;
  int64_t items, blocks, share;
  atomic_llong next;
} forward_job;

// One thread's scratch memory.
typedef struct {
  float *queries;
  float *scores;
  float *values;
  float *sum;
} scratch;

static int64_t share_of(const pk_attention *x) {
  int64_t padded = pk_padded(x->width);
  return (x->width * TILE + TILE * TILE + 2 * TILE * padded) * (int64_t)sizeof(float);
}

// Turns scores [keys, TILE] into exponentials less the new running maximum. `factor` is what earlier
// exponentials are to be multiplied by.
PK_LEVELS(void, renew, (float *scores, int64_t keys, float *maximum, float *total, float *factor),
          (scores, keys, maximum, total, factor)) {
  float top[TILE], sum[TILE];
  for (int i = 0; i < TILE; i++) top[i] = maximum[i];
  for (int64_t j = 0; j < keys; j++) {
    const float *row = scores + j * TILE;
    for (int i = 0; i < TILE; i++) top[i] = row[i] > top[i] || row[i] != row[i] ? row[i] : top[i];
  }
  for (int i = 0; i < TILE; i++) {
    // A query that has seen no key yet has no maximum to subtract.
    float shift = top[i] == -INFINITY ? 0.0f : top[i];
    factor[i] = pk_exp(maximum[i] - shift);
    maximum[i] = top[i];
    top[i] = shift;
    sum[i] = 0;
  }
  for (int64_t j = 0; j < keys; j++) {
    float *row = scores + j * TILE;
    for (int i = 0; i < TILE; i++) {
      float y = row[i] - top[i];
      float clamped = y < -87.0f ? -87.0f : y;
      float e = pk_exp_small(clamped);
      e = y < -87.0f ? 0.0f : e;
      row[i] = e;
      sum[i] += e;
    }
  }
  for (int i = 0; i < TILE; i++) total[i] = total[i] * factor[i] + sum[i];
}

PK_LEVELS(void, scale_rows, (float *x, const float *factors, int64_t rows, int64_t padded),
          (x, factors, rows, padded)) {
  for (int64_t r = 0; r < rows; r++) {
    float factor = factors[r];
    PK_VECTOR for (int64_t d = 0; d < padded; d++) x[r * padded + d] *= factor;
  }
}

static void attend(const forward_job *job, const scratch *s, int64_t item) {
  const pk_attention *x = job->x;
  int64_t block = item % job->blocks, head = item / job->blocks % x->heads,
          batch = item / job->blocks / x->heads;
  int64_t shared = head / (x->heads / x->kv_heads), padded = pk_padded(x->width);
  // The longest blocks of a causal attention come first, so that threads finish together.
  if (x->causal) block = job->blocks - 1 - block;
  int64_t query = block * TILE, rows = pk_min64(TILE, x->queries - query);
  int64_t columns = pk_ceil_div(rows, 16) * 16;
  const float *q = job->q + batch * x->q.batch + head * x->q.head + query * x->q.row;
  const float *k = job->k + batch * x->k.batch + shared * x->k.head;
  const float *v = job->v + batch * x->v.batch + shared * x->v.head;
  pk_pack_columns(s->queries, q, x->q.row, rows, x->width, (float)x->scale);
  memset(s->sum, 0, (size_t)(TILE * padded) * sizeof(float));
  float maximum[TILE], total[TILE], factor[TILE];
  for (int i = 0; i < TILE; i++) {
    maximum[i] = -INFINITY;
    total[i] = 0;
  }
  int64_t visible = pk_visible_keys(x, query, rows);
  for (int64_t key = 0; key < visible; key += TILE) {
    int64_t keys = pk_min64(TILE, visible - key);
    int64_t edge = pk_edge(x, query, key), strip = pk_strip(edge);
    memset(s->scores, 0, (size_t)(keys * TILE) * sizeof(float));
    for (int64_t j = 0; j < keys; j += strip) {
      int64_t first = pk_max64(0, j - edge) / 16 * 16;
      pk_product(s->scores + j * TILE + first, TILE, k + (key + j) * x->k.row, x->k.row, 1,
                 s->queries + first, TILE, pk_min64(strip, keys - j), columns - first, x->width);
    }
    pk_hide(s->scores, x, query, key, keys);
    renew(s->scores, keys, maximum, total, factor);
    scale_rows(s->sum, factor, rows, padded);
    const float *values = v + key * x->v.row;
    int64_t stride = x->v.row;
    if (!pk_is_dense(stride, x->width)) {
      pk_pack_rows(s->values, values, stride, keys, keys, x->width, padded, 1);
      values = s->values;
      stride = padded;
    }
    for (int64_t i = 0; i < rows; i += strip) {
      int64_t count = pk_min64(strip, rows - i), seen = pk_min64(keys, i + count + edge);
      pk_product(s->sum + i * padded, padded, s->scores + i, 1, TILE, values, stride, count, padded, seen);
    }
  }
  float *out = job->out + batch * x->out.batch + head * x->out.head + query * x->out.row;
  for (int64_t i = 0; i < rows; i++) {
    float inverse = total[i] == 0 ? 0 : 1 / total[i];
    for (int64_t d = 0; d < x->width; d++) out[i * x->out.row + d] = s->sum[i * padded + d] * inverse;
    if (job->lse) {
      float shift = maximum[i] == -INFINITY ? 0 : maximum[i];
      job->lse[(batch * x->heads + head) * x->queries + query + i] = shift + logf(total[i]);
    }
  }
}

// One worker, with its own scratch memory, takes one item after the other.
static void run_workers(void *context, int64_t begin, int64_t end) {
  forward_job *job = context;
  const pk_attention *x = job->x;
  for (int64_t worker = begin; worker < end; worker++) {
    float *memory = (float *)(void *)(job->workspace + worker * job->share);
    scratch s = {.queries = memory};
    s.scores = s.queries + x->width * TILE;
    s.values = s.scores + TILE * TILE;
    s.sum = s.values + TILE * pk_padded(x->width);
    for (;;) {
      int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
      if (item >= job->items) break;
      attend(job, &s, item);
    }
  }
}

pk_status pk_attention_forward(float *out, float *lse, const float *q, const float *k, const float *v,
                               const pk_attention *attention, void *workspace, int threads) {
  const pk_attention *x = attention;
  if (x->kv_heads < 1 || x->heads % x->kv_heads != 0) return PK_INVALID;
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
  int64_t work = x->batch * x->heads * x->queries * x->keys * x->width / 4;
  int64_t workers = pk_min64(pk_useful_threads(threads, work), job.items);
  pk_parallel_ranges((int)workers, workers, run_workers, &job);
  return PK_OK;
}
