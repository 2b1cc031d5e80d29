// Stable sorting, and the first few of an order, along one dimension.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "keys.h"
#include "pk_reduction.h"

typedef struct {
  uint64_t key;
  int64_t index;
} entry;

typedef struct {
  char *values;
  int32_t *indices;
  const char *src;
  pk_dtype dtype;
  int64_t outer, n, inner, k;
  int descending;
  char *workspace;
  int64_t share;
  int64_t workers;
} sort_job;

// Two lists of entries and the keys.
static int64_t share_of(int64_t n) {
  return pk_ceil_div(n * (int64_t)(2 * sizeof(entry) + sizeof(uint64_t)), 64) * 64;
}

size_t pk_sort_workspace(int64_t n, int threads) {
  return (size_t)(share_of(n) * (threads < 1 ? 1 : threads));
}

#define RUN 16

static void insertion_sort(entry *x, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    entry e = x[i];
    int64_t j = i;
    for (; j > 0 && x[j - 1].key > e.key; j--) x[j] = x[j - 1];
    x[j] = e;
  }
}

static void merge(entry *out, const entry *a, int64_t na, const entry *b, int64_t nb) {
  int64_t i = 0, j = 0;
  while (i < na && j < nb) {
    // Of equals the left one comes first.
    int right = b[j].key < a[i].key;
    *out++ = right ? b[j] : a[i];
    j += right;
    i += !right;
  }
  memcpy(out, a + i, (size_t)(na - i) * sizeof *out);
  memcpy(out + na - i, b + j, (size_t)(nb - j) * sizeof *out);
}

// Merge sort from short runs upwards; returns whichever of the two lists holds the result.
static entry *merge_sort(entry *x, entry *other, int64_t n) {
  for (int64_t i = 0; i < n; i += RUN) insertion_sort(x + i, pk_min64(RUN, n - i));
  for (int64_t width = RUN; width < n; width *= 2) {
    for (int64_t i = 0; i < n; i += 2 * width) {
      int64_t left = pk_min64(width, n - i), right = pk_min64(width, n - i - left);
      merge(other + i, x + i, left, x + i + left, right);
    }
    entry *swap = x;
    x = other;
    other = swap;
  }
  return x;
}

// Whether `a` comes after `b` in the final order.
static int after(entry a, entry b) { return a.key > b.key || (a.key == b.key && a.index > b.index); }

static void sift_down(entry *heap, int64_t i, int64_t n) {
  for (;;) {
    int64_t child = 2 * i + 1;
    if (child >= n) return;
    if (child + 1 < n && after(heap[child + 1], heap[child])) child++;
    if (!after(heap[child], heap[i])) return;
    entry swap = heap[i];
    heap[i] = heap[child];
    heap[child] = swap;
    i = child;
  }
}

// Leaves the first k of the order in x[0 ..< k], in any order: a heap whose top is the last of them.
static void select_first(entry *x, int64_t n, int64_t k) {
  for (int64_t i = k / 2 - 1; i >= 0; i--) sift_down(x, i, k);
  for (int64_t i = k; i < n; i++) {
    if (!after(x[0], x[i])) continue;
    x[0] = x[i];
    sift_down(x, 0, k);
  }
}

// Takes the last off the heap again and again.
static void order_selected(entry *x, int64_t k) {
  for (int64_t i = k - 1; i > 0; i--) {
    entry swap = x[0];
    x[0] = x[i];
    x[i] = swap;
    sift_down(x, 0, i);
  }
}

static void write_line(const sort_job *job, int64_t outer, int64_t column, const entry *order) {
  const char *src = job->src + (outer * job->n * job->inner + column) * (int64_t)pk_size(job->dtype);
  int64_t size = (int64_t)pk_size(job->dtype);
  for (int64_t j = 0; j < job->k; j++) {
    int64_t place = (outer * job->k + j) * job->inner + column;
    if (job->indices) job->indices[place] = (int32_t)order[j].index;
    if (job->values)
      memcpy(job->values + place * size, src + order[j].index * job->inner * size, (size_t)size);
  }
}

// One worker, with its own share of the workspace, sorts every `workers`-th line.
static void run_workers(void *context, int64_t begin, int64_t end) {
  const sort_job *job = context;
  for (int64_t worker = begin; worker < end; worker++) {
    entry *x = (entry *)(void *)(job->workspace + worker * job->share);
    entry *other = x + job->n;
    uint64_t *keys = (uint64_t *)(other + job->n);
    for (int64_t line = worker; line < job->outer * job->inner; line += job->workers) {
      int64_t outer = line / job->inner, column = line % job->inner;
      const char *src = job->src + (outer * job->n * job->inner + column) * (int64_t)pk_size(job->dtype);
      pk_order_keys(keys, src, job->inner, job->n, job->dtype, job->descending);
      for (int64_t i = 0; i < job->n; i++) x[i] = (entry){keys[i], i};
      entry *order;
      if (job->k < job->n / 8) {
        select_first(x, job->n, job->k);
        order_selected(x, job->k);
        order = x;
      } else {
        order = merge_sort(x, other, job->n);
      }
      write_line(job, outer, column, order);
    }
  }
}

static pk_status run_sort(sort_job job, int threads) {
  if (pk_size(job.dtype) == 0 || job.n < 0 || job.n > INT32_MAX || job.k < 0 || job.k > job.n)
    return PK_INVALID;
  job.share = share_of(job.n);
  job.workers =
      pk_min64(pk_useful_threads(threads, job.outer * job.n * job.inner * 8), job.outer * job.inner);
  if (job.k == 0 || job.workers == 0) return PK_OK;
  pk_parallel_ranges((int)job.workers, job.workers, run_workers, &job);
  return PK_OK;
}

pk_status pk_sort(void *values, int32_t *indices, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                  int64_t inner, int descending, void *workspace, int threads) {
  sort_job job = {.values = values,
                  .indices = indices,
                  .src = src,
                  .dtype = dtype,
                  .outer = outer,
                  .n = n,
                  .inner = inner,
                  .k = n,
                  .descending = descending,
                  .workspace = workspace};
  return run_sort(job, threads);
}

pk_status pk_top_k(void *values, int32_t *indices, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                   int64_t inner, int64_t k, void *workspace, int threads) {
  sort_job job = {.values = values,
                  .indices = indices,
                  .src = src,
                  .dtype = dtype,
                  .outer = outer,
                  .n = n,
                  .inner = inner,
                  .k = k,
                  .descending = 1,
                  .workspace = workspace};
  return run_sort(job, threads);
}
