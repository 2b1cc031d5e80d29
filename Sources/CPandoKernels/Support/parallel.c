#include "parallel.h"

#include <stdatomic.h>

// The entry points of libgomp that compilers emit for `#pragma omp parallel`. Calling them keeps the package
// free of compiler flags and on the very team that oneDNN uses.
extern void GOMP_parallel(void (*fn)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);

typedef struct {
  pk_range_fn fn;
  void *context;
  int64_t count;
  atomic_llong next;
} pk_job;

static void run_range(void *data) {
  pk_job *job = data;
  int64_t thread = omp_get_thread_num(), team = omp_get_num_threads();
  int64_t share = job->count / team, rest = job->count % team;
  int64_t begin = thread * share + (thread < rest ? thread : rest);
  int64_t end = begin + share + (thread < rest ? 1 : 0);
  if (begin < end) job->fn(job->context, begin, end);
}

static void run_items(void *data) {
  pk_job *job = data;
  for (;;) {
    int64_t item = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
    if (item >= job->count) return;
    job->fn(job->context, item, item + 1);
  }
}

static void start(void (*body)(void *), int threads, int64_t count, pk_range_fn fn, void *context) {
  if (count <= 0) return;
  if (threads > count) threads = (int)count;
  if (threads <= 1) {
    fn(context, 0, count);
    return;
  }
  pk_job job = {fn, context, count, 0};
  GOMP_parallel(body, &job, (unsigned)threads, 0);
}

void pk_parallel_ranges(int threads, int64_t count, pk_range_fn fn, void *context) {
  start(run_range, threads, count, fn, context);
}

void pk_parallel_items(int threads, int64_t count, pk_range_fn fn, void *context) {
  start(run_items, threads, count, fn, context);
}
