// The one thread team: libgomp's, which oneDNN runs on too.
#ifndef PK_PARALLEL_H
#define PK_PARALLEL_H

#include <stdint.h>

// Works on items begin ..< end.
typedef void (*pk_range_fn)(void *context, int64_t begin, int64_t end);

// Cuts `count` items into one contiguous range for each thread. With one thread, or one item, nothing is
// forked.
void pk_parallel_ranges(int threads, int64_t count, pk_range_fn fn, void *context);

// Hands out items one at a time to whichever thread is free: for items of unequal cost that write to separate
// places.
void pk_parallel_items(int threads, int64_t count, pk_range_fn fn, void *context);

// Work below this many element operations is not worth waking a second thread.
#define PK_GRAIN 32768

// How many threads are worth using for `work` element operations.
static inline int pk_useful_threads(int threads, int64_t work) {
  int64_t useful = work / PK_GRAIN + 1;
  return threads < 1 ? 1 : useful < threads ? (int)useful : threads;
}

#endif
