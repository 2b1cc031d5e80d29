// Attention, backward. With P = exp(scores - lse): dV = P^T dO, dP = dO V^T, dS = P (dP - sum(dO O)), dQ =
// scale dS K, dK = scale dS^T Q. Scores and all that is like them are held with keys as rows, as in the
// forward pass.
#include "tiles.h"

typedef struct {
  const pk_attention *x;
  float *dq, *dk, *dv;
  const float *dout, *q, *k, *v, *out, *lse;
  char *workspace;
  int64_t items, share;
  atomic_llong next;
} backward_job;

// One thread's scratch memory: tiles of queries as rows and as columns, the same of dO, a tile of keys,
// scores and their gradient, and gradients of the tiles.
typedef struct {
  float *q_rows, *q_columns, *do_rows, *do_columns, *k_rows, *p, *ds, *dq, *dk, *dv;
} scratch;

static int64_t share_of(const pk_attention *x) {
  int64_t padded = pk_padded(x->width);
  return (6 * padded * TILE + 2 * x->width * TILE + 2 * TILE * TILE) * (int64_t)sizeof(float);
}

size_t pk_attention_workspace(const pk_attention *x, int threads) {
  // The backward pass needs more than the forward pass.
  return (size_t)(share_of(x) * (threads < 1 ? 1 : threads));
}

// p = exp(p - lse), ds = p * (ds - delta).
PK_LEVELS(void, differentiate, (float *p, float *ds, const float *lse, const float *delta, int64_t keys),
          (p, ds, lse, delta, keys)) {
  for (int64_t j = 0; j < keys; j++) {
    float *p_row = p + j * TILE, *ds_row = ds + j * TILE;
    PK_VECTOR for (int i = 0; i < TILE; i++) {
      float y = p_row[i] - lse[i];
      float clamped = y < -87.0f ? -87.0f : y;
      float e = pk_exp_small(clamped);
      e = y < -87.0f ? 0.0f : e;
      p_row[i] = e;
      ds_row[i] = e * (ds_row[i] - delta[i]);
    }
  }
}

PK_LEVELS(float, dot, (const float *a, const float *b, int64_t n), (a, b, n)) {
  PK_REASSOCIATE
  float sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

// One tile of queries of one head against all keys.
static void differentiate_block(const backward_job *job, const scratch *s, int64_t batch, int64_t head,
                                int64_t query) {
  const pk_attention *x = job->x;
  int64_t shared = head / (x->heads / x->kv_heads), width = x->width, padded = pk_padded(width);
  int64_t rows = pk_min64(TILE, x->queries - query);
  int64_t q_offset = batch * x->q.batch + head * x->q.head + query * x->q.row;
  int64_t out_offset = batch * x->out.batch + head * x->out.head + query * x->out.row;
  int64_t k_offset = batch * x->k.batch + shared * x->k.head,
          v_offset = batch * x->v.batch + shared * x->v.head;
  const float *dout = job->dout + out_offset, *out = job->out + out_offset, *q = job->q + q_offset;
  float scale = (float)x->scale;
  pk_pack_rows(s->q_rows, q, x->q.row, rows, TILE, width, padded, scale);
  pk_pack_columns(s->q_columns, q, x->q.row, rows, width, scale);
  pk_pack_rows(s->do_rows, dout, x->out.row, rows, TILE, width, padded, 1);
  pk_pack_columns(s->do_columns, dout, x->out.row, rows, width, 1);
  float lse[TILE], delta[TILE];
  for (int64_t i = 0; i < TILE; i++) {
    // Queries beyond the last, and those that see no key, have no probabilities.
    float value = i < rows ? job->lse[(batch * x->heads + head) * x->queries + query + i] : -INFINITY;
    lse[i] = value == -INFINITY ? INFINITY : value;
    delta[i] = i < rows ? dot(dout + i * x->out.row, out + i * x->out.row, width) : 0;
  }
  memset(s->dq, 0, (size_t)(TILE * padded) * sizeof(float));
  int64_t visible = pk_visible_keys(x, query, rows);
  for (int64_t key = 0; key < visible; key += TILE) {
    int64_t keys = pk_min64(TILE, visible - key);
    const float *k = job->k + k_offset + key * x->k.row, *v = job->v + v_offset + key * x->v.row;
    memset(s->p, 0, (size_t)(keys * TILE) * sizeof(float));
    memset(s->ds, 0, (size_t)(keys * TILE) * sizeof(float));
    pk_product(s->p, TILE, k, x->k.row, 1, s->q_columns, TILE, keys, TILE, width);
    pk_hide(s->p, x, query, key, keys);
    pk_product(s->ds, TILE, v, x->v.row, 1, s->do_columns, TILE, keys, TILE, width);
    differentiate(s->p, s->ds, lse, delta, keys);
    memset(s->dv, 0, (size_t)(keys * padded) * sizeof(float));
    memset(s->dk, 0, (size_t)(keys * padded) * sizeof(float));
    pk_product(s->dv, padded, s->p, TILE, 1, s->do_rows, padded, keys, padded, TILE);
    pk_product(s->dk, padded, s->ds, TILE, 1, s->q_rows, padded, keys, padded, TILE);
    pk_add_rows(job->dv + v_offset + key * x->v.row, x->v.row, s->dv, keys, width, padded, 1);
    pk_add_rows(job->dk + k_offset + key * x->k.row, x->k.row, s->dk, keys, width, padded, 1);
    pk_pack_rows(s->k_rows, k, x->k.row, keys, keys, width, padded, 1);
    pk_product(s->dq, padded, s->ds, 1, TILE, s->k_rows, padded, TILE, padded, keys);
  }
  float *dq = job->dq + q_offset;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t d = 0; d < width; d++) dq[i * x->q.row + d] = s->dq[i * padded + d] * scale;
  }
}

// One key and value head of one batch element.
static void differentiate_head(const backward_job *job, const scratch *s, int64_t item) {
  const pk_attention *x = job->x;
  int64_t shared = item % x->kv_heads, batch = item / x->kv_heads, group = x->heads / x->kv_heads;
  for (int64_t j = 0; j < x->keys; j++) {
    size_t bytes = (size_t)x->width * sizeof(float);
    memset(job->dk + batch * x->k.batch + shared * x->k.head + j * x->k.row, 0, bytes);
    memset(job->dv + batch * x->v.batch + shared * x->v.head + j * x->v.row, 0, bytes);
  }
  for (int64_t head = shared * group; head < (shared + 1) * group; head++) {
    for (int64_t query = 0; query < x->queries; query += TILE)
      differentiate_block(job, s, batch, head, query);
  }
}

static void run_workers(void *context, int64_t begin, int64_t end) {
  backward_job *job = context;
  int64_t width = job->x->width, padded = pk_padded(width);
  for (int64_t worker = begin; worker < end; worker++) {
    float *memory = (float *)(void *)(job->workspace + worker * job->share);
    scratch s;
    float **rows[] = {&s.q_rows, &s.do_rows, &s.k_rows, &s.dq, &s.dk, &s.dv};
    for (int i = 0; i < 6; i++, memory += TILE * padded) *rows[i] = memory;
    s.q_columns = memory;
    s.do_columns = s.q_columns + width * TILE;
    s.p = s.do_columns + width * TILE;
    s.ds = s.p + TILE * TILE;
    for (;;) {
      int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
      if (item >= job->items) break;
      differentiate_head(job, &s, item);
    }
  }
}

pk_status pk_attention_backward(float *dq, float *dk, float *dv, const float *dout, const float *q,
                                const float *k, const float *v, const float *out, const float *lse,
                                const pk_attention *attention, void *workspace, int threads) {
  const pk_attention *x = attention;
  if (x->kv_heads < 1 || x->heads % x->kv_heads != 0) return PK_INVALID;
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
  int64_t work = x->batch * x->heads * x->queries * x->keys * x->width / 2;
  int64_t workers = pk_min64(pk_useful_threads(threads, work), job.items);
  pk_parallel_ranges((int)workers, workers, run_workers, &job);
  return PK_OK;
}
