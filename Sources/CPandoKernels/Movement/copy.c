// Strided copies. The loops are ordered by the destination's strides, neighbours that can be one loop are
// merged, and the two innermost loops run in a kernel: rows of memory, a transpose, or anything else.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "../Support/transpose.h"
#include "copy.h"

// Copies n0 rows of n1 elements; strides in elements, `d0`, `s0` between rows.
typedef void (*box_fn)(void *dst, int64_t d0, int64_t d1, const void *src, int64_t s0, int64_t s1, int64_t n0,
                       int64_t n1);

#define BOX_PARAMETERS                                                                                       \
  void *dst, int64_t d0, int64_t d1, const void *src, int64_t s0, int64_t s1, int64_t n0, int64_t n1
#define BOX_ARGUMENTS dst, d0, d1, src, s0, s1, n0, n1

#define BOX(NAME, T)                                                                                         \
  PK_LEVELS(void, NAME, (BOX_PARAMETERS), (BOX_ARGUMENTS)) {                                                 \
    for (int64_t r = 0; r < n0; r++) {                                                                       \
      T *d = (T *)dst + r * d0;                                                                              \
      const T *s = (const T *)src + r * s0;                                                                  \
      if (d1 == 1 && s1 == 1) {                                                                              \
        PK_VECTOR for (int64_t i = 0; i < n1; i++) d[i] = s[i];                                              \
      } else if (d1 == 1 && s1 == 0) {                                                                       \
        T x = s[0];                                                                                          \
        PK_VECTOR for (int64_t i = 0; i < n1; i++) d[i] = x;                                                 \
      } else if (d1 == 1) {                                                                                  \
        for (int64_t i = 0; i < n1; i++) d[i] = s[i * s1];                                                   \
      } else {                                                                                               \
        for (int64_t i = 0; i < n1; i++) d[i * d1] = s[i * s1];                                              \
      }                                                                                                      \
    }                                                                                                        \
  }
BOX(box_1, uint8_t)
BOX(box_2, uint16_t)
BOX(box_4, uint32_t)
BOX(box_8, uint64_t)

// Transposes: rows are contiguous in the destination (d1 == 1), columns in the source (s0 == 1). Few rows are
// written at a time, each source line is read once.
#define TRANSPOSE(NAME, T)                                                                                   \
  PK_LEVELS(void, NAME, (BOX_PARAMETERS), (BOX_ARGUMENTS)) {                                                 \
    T *d = dst;                                                                                              \
    const T *s = src;                                                                                        \
    for (int64_t i = 0; i < n1; i++) {                                                                       \
      for (int64_t r = 0; r < n0; r++) d[r * d0 + i] = s[r + i * s1];                                        \
    }                                                                                                        \
  }
TRANSPOSE(transpose_1, uint8_t)
TRANSPOSE(transpose_2, uint16_t)
TRANSPOSE(transpose_8, uint64_t)
TRANSPOSE(transpose_4_any, uint32_t)

PK_LEVELS(void, transpose_4, (BOX_PARAMETERS), (BOX_ARGUMENTS)) {
  uint32_t *d = dst;
  const uint32_t *s = src;
  int64_t whole0 = n0 & ~7, whole1 = n1 & ~7;
  for (int64_t i = 0; i < whole1; i += 8) {
    for (int64_t r = 0; r < whole0; r += 8) pk_transpose_8x8(d + r * d0 + i, d0, s + r + i * s1, s1);
  }
  if (whole0 < n0) transpose_4_any(d + whole0 * d0, d0, 1, s + whole0, 1, s1, n0 - whole0, whole1);
  if (whole1 < n1) transpose_4_any(d + whole1, d0, 1, s + whole1 * s1, 1, s1, n0, n1 - whole1);
}

typedef struct {
  int64_t size, dst, src;
} loop;

typedef struct {
  char *dst;
  const char *src;
  // All loops but the two of the kernel, outermost first.
  loop outer[PK_MAX_RANK];
  int outer_count;
  loop rows, columns;
  // The kernel's rows and columns are cut into blocks, so that there is work for all threads.
  int64_t row_block, row_blocks, column_block, column_blocks;
  int64_t element_size;
  box_fn kernel;
} copy_job;

static int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

// Fills `loops` with the dimensions that matter, outermost first; returns how many there are, -1 where none
// is run.
static int collect(loop *loops, const int64_t *dst_strides, const int64_t *src_strides, const int64_t *shape,
                   int rank) {
  int count = 0;
  for (int d = 0; d < rank; d++) {
    if (shape[d] <= 0) return -1;
    if (shape[d] == 1) continue;
    loop x = {shape[d], dst_strides[d], src_strides[d]};
    int place = count++;
    for (; place > 0 && magnitude(loops[place - 1].dst) < magnitude(x.dst); place--)
      loops[place] = loops[place - 1];
    loops[place] = x;
  }
  int kept = 0;
  for (int d = 0; d < count; d++) {
    loop x = loops[d], *last = kept > 0 ? &loops[kept - 1] : NULL;
    if (last && last->dst == x.dst * x.size && last->src == x.src * x.size) {
      *last = (loop){last->size * x.size, x.dst, x.src};
    } else {
      loops[kept++] = x;
    }
  }
  return kept;
}

static box_fn choose(size_t element_size, int transposes) {
  switch (element_size) {
    case 1: return transposes ? transpose_1 : box_1;
    case 2: return transposes ? transpose_2 : box_2;
    case 4: return transposes ? transpose_4 : box_4;
    case 8: return transposes ? transpose_8 : box_8;
    default: return NULL;
  }
}

static void run_boxes(void *context, int64_t begin, int64_t end) {
  const copy_job *job = context;
  int64_t size = job->element_size;
  for (int64_t item = begin; item < end; item++) {
    int64_t column = item % job->column_blocks * job->column_block;
    int64_t rest = item / job->column_blocks;
    int64_t row = rest % job->row_blocks * job->row_block;
    rest /= job->row_blocks;
    int64_t dst = row * job->rows.dst + column * job->columns.dst;
    int64_t src = row * job->rows.src + column * job->columns.src;
    for (int d = job->outer_count - 1; d >= 0; d--) {
      int64_t place = rest % job->outer[d].size;
      rest /= job->outer[d].size;
      dst += place * job->outer[d].dst;
      src += place * job->outer[d].src;
    }
    job->kernel(job->dst + dst * size, job->rows.dst, job->columns.dst, job->src + src * size, job->rows.src,
                job->columns.src, pk_min64(job->row_block, job->rows.size - row),
                pk_min64(job->column_block, job->columns.size - column));
  }
}

pk_status pk_copy_strided(void *dst, const int64_t *dst_strides, const void *src, const int64_t *src_strides,
                          const int64_t *shape, int rank, size_t element_size, int threads) {
  if (rank < 0 || rank > PK_MAX_RANK || !choose(element_size, 0)) return PK_INVALID;
  loop loops[PK_MAX_RANK + 2];
  int count = collect(loops, dst_strides, src_strides, shape, rank);
  if (count < 0) return PK_OK;
  copy_job job = {.dst = dst, .src = src, .element_size = (int64_t)element_size};
  job.columns = count > 0 ? loops[count - 1] : (loop){1, 1, 1};
  // A transpose where some other loop walks the source element by element; otherwise the next loop outwards.
  int row = count - 2, transposes = 0;
  for (int d = 0; d < count - 1; d++) {
    if (job.columns.dst == 1 && job.columns.src != 1 && loops[d].src == 1) {
      row = d;
      transposes = 1;
    }
  }
  job.rows = row >= 0 ? loops[row] : (loop){1, 0, 0};
  int64_t items = 1;
  for (int d = 0; d < count - 1; d++) {
    if (d == row) continue;
    job.outer[job.outer_count++] = loops[d];
    items *= loops[d].size;
  }
  job.kernel = choose(element_size, transposes);
  job.column_block = pk_min64(job.columns.size, 16384);
  job.column_blocks = pk_ceil_div(job.columns.size, job.column_block);
  job.row_block = transposes ? 64 / (int64_t)element_size : pk_max64(1, 16384 / job.column_block);
  job.row_block = pk_min64(job.row_block, job.rows.size);
  job.row_blocks = pk_ceil_div(job.rows.size, job.row_block);
  items *= job.column_blocks * job.row_blocks;
  int64_t work = items * job.row_block * job.column_block;
  pk_parallel_ranges(pk_useful_threads(threads, work), items, run_boxes, &job);
  return PK_OK;
}
