// Attention, backward. With P = exp(scores - lse): dV = P^T dO, dP = dO V^T, dS = scale P (dP - sum(dO O)),
// dQ = dS K, dK = dS^T Q.
//
// A tile of keys meets one tile of queries after the other: the keys' gradients stay in the cache, and those
// of the queries are added to memory. Threads take tiles of keys in order, and each waits with its addition
// until the tile of keys before it has added its own: so the order of the sums, and every bit of the result,
// is the same on any number of threads, without memory for partial sums.
#include <sched.h>

#include "tiles.h"

typedef struct {
  const pk_attention *x;
  float *dq, *dk, *dv;
  const float *dout, *q, *k, *v, *out, *lse;
  // For each query: what its scores are measured from, and sum(dO O).
  float *level, *delta;
  // For each tile of queries, how many tiles of keys have added to its gradient.
  atomic_int *turns;
  char *shares;
  int64_t items, key_tiles, query_tiles, set, share;
  atomic_llong next;
} backward_job;

// One thread's scratch memory: keys and values as columns, keys and both gradients as rows; probabilities and
// their gradient with queries as rows; where rows are no whole vectors, or far apart, tiles of Q, dO and dQ.
typedef struct {
  float *k_columns, *v_columns, *k_rows, *dk, *dv, *p, *ds, *q_rows, *do_rows, *dq_rows;
} scratch;

static int64_t share_of(const pk_attention *x) {
  int64_t padded = pk_padded(x->width);
  return (6 * padded * TILE + 2 * x->width * TILE + 2 * TILE * TILE) * (int64_t)sizeof(float);
}

// Bytes in front of the threads' shares.
static int64_t common_of(const pk_attention *x) {
  int64_t heads = x->batch * x->heads;
  int64_t bytes = 2 * heads * x->queries * (int64_t)sizeof(float) +
                  heads * pk_ceil_div(x->queries, TILE) * (int64_t)sizeof(atomic_int);
  return pk_ceil_div(bytes, 64) * 64;
}

size_t pk_attention_workspace(const pk_attention *x, int threads) {
  // The backward pass needs more than the forward pass.
  return (size_t)(common_of(x) + share_of(x) * (threads < 1 ? 1 : threads));
}

PK_LEVELS(float, dot, (const float *a, const float *b, int64_t n), (a, b, n)) {
  PK_REASSOCIATE
  float sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

// An item is one query of one head.
static void prepare(void *context, int64_t begin, int64_t end) {
  backward_job *job = context;
  const pk_attention *x = job->x;
  for (int64_t item = begin; item < end; item++) {
    int64_t query = item % x->queries, head = item / x->queries % x->heads,
            batch = item / x->queries / x->heads;
    int64_t place = batch * x->out.batch + head * x->out.head + query * x->out.row;
    job->delta[item] = dot(job->dout + place, job->out + place, x->width);
    // A query that sees no key has no probabilities.
    job->level[item] = job->lse[item] == -INFINITY ? INFINITY : job->lse[item];
    memset(job->dq + batch * x->q.batch + head * x->q.head + query * x->q.row, 0,
           (size_t)x->width * sizeof(float));
  }
}

// One row of scores and of dP, `n` of each, become p and ds; a query sees the first `seen` keys.
PK_INLINE void differentiate_row(float *p, float *ds, float level, float delta, float scale, int32_t seen,
                                 int64_t n) {
  for (int64_t first = 0; first < n; first += 16) {
    PK_VECTOR for (int32_t i = 0; i < 16; i++) {
      int32_t j = (int32_t)first + i;
      float y = p[j] - level;
      float clamped = y < -87.0f ? -87.0f : y;
      float e = pk_exp_small(clamped);
      e = y < -87.0f || j >= seen ? 0.0f : e;
      p[j] = e;
      ds[j] = e * (ds[j] - delta) * scale;
    }
  }
}

PK_LEVELS(void, differentiate,
          (float *p, float *ds, const float *level, const float *delta, float scale, int64_t edge,
           int64_t rows, int64_t n),
          (p, ds, level, delta, scale, edge, rows, n)) {
  for (int64_t i = 0; i < rows; i++) {
    int32_t seen = (int32_t)pk_min64(TILE, i + edge + 1);
    differentiate_row(p + i * TILE, ds + i * TILE, level[i], delta[i], scale, seen, n);
  }
}

// Waits until tile number `turn` of the keys may add to a gradient.
static void wait_for(atomic_int *turns, int turn) {
  for (int spins = 0; atomic_load_explicit(turns, memory_order_acquire) != turn; spins++) {
    if (spins >= 1024) sched_yield();
  }
}

// The queries' gradients: dQ += dS K, in the order of the keys.
static void add_to_queries(const backward_job *job, const scratch *s, float *dq, atomic_int *turns, int turn,
                           int64_t rows, int64_t keys, int64_t edge) {
  const pk_attention *x = job->x;
  int64_t padded = pk_padded(x->width), strip = pk_strip(edge);
  int direct = pk_is_dense(x->q.row, x->width);
  float *sum = direct ? dq : s->dq_rows;
  int64_t stride = direct ? x->q.row : padded;
  if (direct) wait_for(turns, turn);
  else memset(sum, 0, (size_t)(rows * padded) * sizeof(float));
  for (int64_t i = 0; i < rows; i += strip) {
    int64_t count = pk_min64(strip, rows - i), seen = pk_min64(keys, i + count + edge);
    if (seen <= 0) continue;
    pk_product(sum + i * stride, stride, s->ds + i * TILE, TILE, 1, s->k_rows, padded, count, padded, seen);
  }
  if (!direct) {
    wait_for(turns, turn);
    pk_add_rows(dq, x->q.row, sum, rows, x->width, padded, 1);
  }
  atomic_store_explicit(turns, turn + 1, memory_order_release);
}

// A tile of keys against a tile of queries of one head.
static void differentiate_tile(const backward_job *job, const scratch *s, int64_t batch, int64_t head,
                               int64_t query, int64_t key) {
  const pk_attention *x = job->x;
  int64_t width = x->width, padded = pk_padded(width);
  int64_t rows = pk_min64(TILE, x->queries - query), keys = pk_min64(TILE, x->keys - key);
  int64_t edge = pk_edge(x, query, key), strip = pk_strip(edge);
  int64_t q_place = batch * x->q.batch + head * x->q.head + query * x->q.row;
  const float *q = job->q + q_place;
  const float *dout = job->dout + batch * x->out.batch + head * x->out.head + query * x->out.row;
  int64_t number = (batch * x->heads + head) * x->queries + query;
  const float *level = job->level + number, *delta = job->delta + number;
  int64_t q_stride = x->q.row, do_stride = x->out.row;
  if (!pk_is_dense(q_stride, width)) {
    pk_pack_rows(s->q_rows, q, q_stride, rows, rows, width, padded, 1);
    q = s->q_rows;
    q_stride = padded;
  }
  if (!pk_is_dense(do_stride, width)) {
    pk_pack_rows(s->do_rows, dout, do_stride, rows, rows, width, padded, 1);
    dout = s->do_rows;
    do_stride = padded;
  }
  memset(s->p, 0, (size_t)(rows * TILE) * sizeof(float));
  memset(s->ds, 0, (size_t)(rows * TILE) * sizeof(float));
  for (int64_t i = 0; i < rows; i += strip) {
    int64_t count = pk_min64(strip, rows - i);
    int64_t n = pk_ceil_div(pk_max64(0, pk_min64(keys, i + count + edge)), 16) * 16;
    float *p = s->p + i * TILE, *ds = s->ds + i * TILE;
    pk_product(p, TILE, q + i * q_stride, q_stride, 1, s->k_columns, TILE, count, n, width);
    pk_product(ds, TILE, dout + i * do_stride, do_stride, 1, s->v_columns, TILE, count, n, width);
    differentiate(p, ds, level + i, delta + i, (float)x->scale, i + edge, count, n);
  }
  for (int64_t j = 0; j < keys; j += strip) {
    int64_t count = pk_min64(strip, keys - j), first = pk_max64(0, j - edge);
    if (first >= rows) break;
    pk_product(s->dv + j * padded, padded, s->p + first * TILE + j, 1, TILE, dout + first * do_stride,
               do_stride, count, padded, rows - first);
    pk_product(s->dk + j * padded, padded, s->ds + first * TILE + j, 1, TILE, q + first * q_stride, q_stride,
               count, padded, rows - first);
  }
  atomic_int *turns = job->turns + (batch * x->heads + head) * job->query_tiles + query / TILE;
  add_to_queries(job, s, job->dq + q_place, turns, (int)(key / TILE), rows, keys, edge);
}

static void store_rows(float *dst, int64_t stride, const float *src, int64_t rows, int64_t width,
                       int64_t padded) {
  for (int64_t r = 0; r < rows; r++)
    memcpy(dst + r * stride, src + r * padded, (size_t)width * sizeof(float));
}

// One tile of keys of one key and value head, against all queries that see it.
static void differentiate_keys(const backward_job *job, const scratch *s, int64_t item) {
  const pk_attention *x = job->x;
  // As many heads as there are threads go side by side, so that threads seldom wait for each other.
  int64_t set = item / (job->set * job->key_tiles), first = set * job->set;
  int64_t set_heads = pk_min64(job->set, x->batch * x->kv_heads - first);
  int64_t place = item - first * job->key_tiles, head_number = first + place % set_heads;
  int64_t key = place / set_heads * TILE, shared = head_number % x->kv_heads,
          batch = head_number / x->kv_heads, group = x->heads / x->kv_heads;
  int64_t width = x->width, padded = pk_padded(width), keys = pk_min64(TILE, x->keys - key);
  int64_t k_place = batch * x->k.batch + shared * x->k.head + key * x->k.row;
  int64_t v_place = batch * x->v.batch + shared * x->v.head + key * x->v.row;
  pk_pack_columns(s->k_columns, job->k + k_place, x->k.row, keys, width, (float)x->scale);
  pk_pack_columns(s->v_columns, job->v + v_place, x->v.row, keys, width, 1);
  pk_pack_rows(s->k_rows, job->k + k_place, x->k.row, keys, keys, width, padded, 1);
  memset(s->dk, 0, (size_t)(keys * padded) * sizeof(float));
  memset(s->dv, 0, (size_t)(keys * padded) * sizeof(float));
  for (int64_t head = shared * group; head < (shared + 1) * group; head++) {
    for (int64_t query = 0; query < x->queries; query += TILE) {
      if (pk_visible_keys(x, query, pk_min64(TILE, x->queries - query)) <= key) continue;
      differentiate_tile(job, s, batch, head, query, key);
    }
  }
  store_rows(job->dk + k_place, x->k.row, s->dk, keys, width, padded);
  store_rows(job->dv + v_place, x->v.row, s->dv, keys, width, padded);
}

static void run_workers(void *context, int64_t begin, int64_t end) {
  backward_job *job = context;
  int64_t width = job->x->width, padded = pk_padded(width);
  for (int64_t worker = begin; worker < end; worker++) {
    float *memory = (float *)(void *)(job->shares + worker * job->share);
    scratch s;
    float **rows[] = {&s.k_rows, &s.dk, &s.dv, &s.q_rows, &s.do_rows, &s.dq_rows};
    for (int i = 0; i < 6; i++, memory += TILE * padded) *rows[i] = memory;
    s.p = memory;
    s.ds = s.p + TILE * TILE;
    s.k_columns = s.ds + TILE * TILE;
    s.v_columns = s.k_columns + width * TILE;
    for (;;) {
      int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
      if (item >= job->items) break;
      differentiate_keys(job, &s, item);
    }
  }
}

pk_status pk_attention_backward(float *dq, float *dk, float *dv, const float *dout, const float *q,
                                const float *k, const float *v, const float *out, const float *lse,
                                const pk_attention *attention, void *workspace, int threads) {
  const pk_attention *x = attention;
  if (x->kv_heads < 1 || x->heads % x->kv_heads != 0) return PK_INVALID;
  int64_t queries = x->batch * x->heads * x->queries, key_tiles = pk_ceil_div(x->keys, TILE);
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
                      .level = workspace,
                      .shares = (char *)workspace + common_of(x),
                      .items = x->batch * x->kv_heads * key_tiles,
                      .key_tiles = key_tiles,
                      .query_tiles = pk_ceil_div(x->queries, TILE),
                      .share = share_of(x)};
  job.delta = job.level + queries;
  job.turns = (atomic_int *)(void *)(job.delta + queries);
  for (int64_t i = 0; i < x->batch * x->heads * job.query_tiles; i++) atomic_init(job.turns + i, 0);
  pk_parallel_ranges(pk_useful_threads(threads, queries * x->width), queries, prepare, &job);
  int64_t work = queries * x->keys * x->width / 2;
  int64_t workers = pk_min64(pk_useful_threads(threads, work), job.items);
  job.set = pk_max64(1, workers);
  pk_parallel_ranges((int)workers, workers, run_workers, &job);
  return PK_OK;
}
