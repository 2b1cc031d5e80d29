// Cuts a reduction into pieces that only its shape decides, and combines what they give in their order.
#include "reduce.h"

#include "../Support/parallel.h"
#include "../Support/simd.h"

// Outputs that one piece accumulates, and how many pieces a reduction with few outputs is cut into.
#define COLUMNS 256
#define PIECES 16
#define MAX_ITEMS (2 * PIECES)
// Below this many elements a piece is not worth its while.
#define PIECE_ELEMENTS 32768

typedef struct {
  const pk_reducer *reducer;
  char *dst;
  const char *src;
  int64_t element_size, result_size;
  // Normalized sizes. Rows (inner is 1): outputs lie along o2. Columns: outputs lie along inner.
  int64_t o1, r1, o2, r2, inner;
  int64_t block, blocks;
  // Into how many pieces the reduced elements are cut, along r1 or along r2.
  int64_t pieces;
  int cut_r1;
  char *partial;
} reduce_job;

// One block of outputs, one piece of the reduced elements.
typedef struct {
  int64_t o1, o2, column, count;
  int64_t begin1, end1, begin2, end2;
  int64_t output;
} part;

static part part_of(const reduce_job *job, int64_t item) {
  part p = {.begin1 = 0, .end1 = job->r1, .begin2 = 0, .end2 = job->r2};
  int64_t piece = item % job->pieces;
  int64_t place = item / job->pieces;
  int64_t first = place % job->blocks * job->block;
  place /= job->blocks;
  if (job->inner == 1) {
    p.o1 = place;
    p.o2 = first;
    p.count = pk_min64(job->block, job->o2 - first);
    p.output = p.o1 * job->o2 + p.o2;
  } else {
    p.o1 = place / job->o2;
    p.o2 = place % job->o2;
    p.column = first;
    p.count = pk_min64(job->block, job->inner - first);
    p.output = place * job->inner + first;
  }
  if (job->cut_r1) {
    p.begin1 = job->r1 * piece / job->pieces;
    p.end1 = job->r1 * (piece + 1) / job->pieces;
  } else {
    p.begin2 = job->r2 * piece / job->pieces;
    p.end2 = job->r2 * (piece + 1) / job->pieces;
  }
  return p;
}

static void accumulate(const reduce_job *job, const part *p, char *accumulators) {
  const pk_reducer *reducer = job->reducer;
  reducer->clear(accumulators, p->count);
  for (int64_t i = p->begin1; i < p->end1; i++) {
    int64_t row = ((p->o1 * job->r1 + i) * job->o2 + p->o2) * job->r2 + p->begin2;
    const char *x = job->src + (row * job->inner + p->column) * job->element_size;
    int64_t n = p->end2 - p->begin2;
    if (job->inner > 1) {
      reducer->columns(accumulators, x, n, job->inner, p->count);
    } else if (n == job->r2) {
      reducer->rows(accumulators, x, p->count, n);
    } else {
      for (int64_t j = 0; j < p->count; j++) {
        reducer->rows(accumulators + j * (int64_t)reducer->accumulator_size,
                      x + j * job->r2 * job->element_size, 1, n);
      }
    }
  }
}

static void run_parts(void *context, int64_t begin, int64_t end) {
  const reduce_job *job = context;
  _Alignas(64) char accumulators[COLUMNS * 8];
  for (int64_t item = begin; item < end; item++) {
    part p = part_of(job, item);
    if (job->pieces > 1) {
      accumulate(job, &p, job->partial + item * COLUMNS * 8);
    } else {
      accumulate(job, &p, accumulators);
      job->reducer->finish(job->dst + p.output * job->result_size, accumulators, p.count);
    }
  }
}

static void combine_pieces(const reduce_job *job, int64_t items) {
  for (int64_t item = 0; item < items; item += job->pieces) {
    part p = part_of(job, item);
    char *first = job->partial + item * COLUMNS * 8;
    for (int64_t piece = 1; piece < job->pieces; piece++) {
      job->reducer->combine(first, first + piece * COLUMNS * 8, p.count);
    }
    job->reducer->finish(job->dst + p.output * job->result_size, first, p.count);
  }
}

// Brings equal problems into one form, with as many neighbouring outputs or reduced elements as there are.
static void normalize(reduce_job *job) {
  if (job->r2 == 1) {
    job->inner *= job->o2;
    job->o2 = 1;
    job->r2 = job->r1;
    job->r1 = 1;
  }
  if (job->o2 == 1) {
    job->r2 *= job->r1;
    job->r1 = 1;
  }
  if (job->r1 == 1) {
    job->o2 *= job->o1;
    job->o1 = 1;
  }
}

static pk_status reduce(void *dst, const void *src, const int64_t sizes[5], const pk_reducer *reducer,
                        pk_dtype dtype, pk_dtype result, int threads) {
  if (!reducer) return PK_UNSUPPORTED;
  reduce_job job = {.reducer = reducer,
                    .dst = dst,
                    .src = src,
                    .element_size = (int64_t)pk_size(dtype),
                    .result_size = (int64_t)pk_size(result),
                    .o1 = sizes[0],
                    .r1 = sizes[1],
                    .o2 = sizes[2],
                    .r2 = sizes[3],
                    .inner = sizes[4]};
  int64_t outputs = job.o1 * job.o2 * job.inner, reduced = job.r1 * job.r2;
  if (outputs == 0) return PK_OK;
  normalize(&job);
  int64_t line = job.inner == 1 ? job.o2 : job.inner;
  int64_t useful = job.inner == 1 ? pk_max64(1, PIECE_ELEMENTS / pk_max64(reduced, 1)) : COLUMNS;
  job.block = pk_min64(pk_min64(COLUMNS, useful), line);
  job.blocks = pk_ceil_div(line, job.block);
  int64_t places = job.blocks * job.o1 * (job.inner == 1 ? 1 : job.o2);
  job.cut_r1 = job.r1 >= PIECES;
  job.pieces = pk_min64(pk_ceil_div(PIECES, places), outputs * reduced / places / PIECE_ELEMENTS);
  job.pieces = pk_max64(1, pk_min64(job.pieces, job.cut_r1 ? job.r1 : job.r2));
  _Alignas(64) char partial[MAX_ITEMS * COLUMNS * 8];
  job.partial = partial;
  pk_parallel_ranges(pk_useful_threads(threads, outputs * reduced), places * job.pieces, run_parts, &job);
  if (job.pieces > 1) combine_pieces(&job, places * job.pieces);
  return PK_OK;
}

pk_status pk_reduce(void *dst, const void *src, const int64_t sizes[5], pk_reduction reduction,
                    pk_dtype dtype, int threads) {
  const pk_reducer *reducer = pk_float_reducer(reduction, dtype);
  if (!reducer) reducer = pk_whole_reducer(reduction, dtype);
  return reduce(dst, src, sizes, reducer, dtype, dtype, threads);
}

pk_status pk_reduce_unrounded(float *dst, const void *src, const int64_t sizes[5], pk_dtype dtype,
                              int threads) {
  return reduce(dst, src, sizes, pk_unrounded_reducer(dtype), dtype, PK_F32, threads);
}
