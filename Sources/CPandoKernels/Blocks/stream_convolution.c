// Convolutions with few places. A thread takes blocks of 16 outputs; a tile of places of such a block stays in registers
// while the block's weights go by, each multiplied with one number of x for every place.
#include <string.h>

#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_stream.h"

enum { BLOCK = PK_STREAM_BLOCK, MAX_ROWS = 4, MAX_COLUMNS = 7, AHEAD = 4096 };

typedef float lanes __attribute__((vector_size(4 * PK_STREAM_BLOCK), aligned(4)));

// x with its zeros around, its rows and columns sorted by their remainder by the stride, so that places that are
// neighbours in y are neighbours here: [n, inputs / 16, phases…, rows, columns, 16].
typedef struct {
  int64_t phases[2], size[2];
  // Elements of one phase of one block of channels, and of all phases.
  int64_t phase_step, block_step;
  // Whether x itself is like that.
  int is_x;
} source;

typedef struct {
  float *y, *copy;
  const float *x, *w, *bias, *residual;
  int rectifies;
  const pk_stream *sizes;
  source source;
} stream_job;

static source source_of(const pk_stream *s) {
  source out = {.is_x = 1};
  for (int d = 0; d < 2; d++) {
    int64_t reach = (s->kernel[d] - 1) * s->dilation[d];
    out.phases[d] = pk_min64(s->stride[d], reach + 1);
    out.size[d] = s->out_size[d] + reach / s->stride[d];
    if (s->stride[d] != 1 || s->low[d] != 0 || out.size[d] != s->size[d]) out.is_x = 0;
  }
  out.phase_step = out.size[0] * out.size[1] * BLOCK;
  out.block_step = out.phases[0] * out.phases[1] * out.phase_step;
  return out;
}

static int multiplies(int64_t *product, int64_t factor) { return !__builtin_mul_overflow(*product, factor, product); }

static pk_status check(const pk_stream *s) {
  int64_t x = 4, w = 4, y = 4, copy = 4;
  if (s->n < 1 || s->inputs < 1 || s->outputs < 1 || s->inputs % BLOCK || s->outputs % BLOCK) return PK_INVALID;
  int fits = multiplies(&x, s->n) && multiplies(&x, s->inputs) && multiplies(&y, s->n) && multiplies(&y, s->outputs) &&
             multiplies(&w, s->inputs) && multiplies(&w, s->outputs) && multiplies(&copy, x);
  for (int d = 0; d < 2 && fits; d++) {
    if (s->size[d] < 1 || s->out_size[d] < 1 || s->kernel[d] < 1 || s->stride[d] < 1 || s->dilation[d] < 1 ||
        s->low[d] < 0) {
      return PK_INVALID;
    }
    int64_t reach = s->dilation[d], end = s->stride[d];
    fits = multiplies(&x, s->size[d]) && multiplies(&y, s->out_size[d]) && multiplies(&w, s->kernel[d]) &&
           multiplies(&reach, s->kernel[d]) && multiplies(&end, s->out_size[d]) &&
           !__builtin_add_overflow(end, reach, &end) && !__builtin_add_overflow(end, s->low[d], &end) &&
           multiplies(&copy, end);
  }
  return fits ? PK_OK : PK_LIMIT;
}

size_t pk_stream_workspace(const pk_stream *sizes) {
  if (check(sizes) != PK_OK) return 0;
  source from = source_of(sizes);
  return from.is_x ? 0 : (size_t)(sizes->n * (sizes->inputs / BLOCK) * from.block_step) * sizeof(float);
}

// Copies one row of a phase: every so many places of a row of x, or zeros where there is none.
static void copy_row(float *to, const float *x, int64_t row, int64_t column, const source *from, const pk_stream *s) {
  for (int64_t i = 0; i < from->size[1]; i++, to += BLOCK, column += s->stride[1]) {
    if (row < 0 || row >= s->size[0] || column < 0 || column >= s->size[1]) {
      memset(to, 0, BLOCK * sizeof *to);
    } else {
      memcpy(to, x + (row * s->size[1] + column) * BLOCK, BLOCK * sizeof *to);
    }
  }
}

// Item: one block of channels of one sample.
static void copy_blocks(void *context, int64_t begin, int64_t end) {
  const stream_job *job = context;
  const pk_stream *s = job->sizes;
  const source *from = &job->source;
  for (int64_t block = begin; block < end; block++) {
    const float *x = job->x + block * s->size[0] * s->size[1] * BLOCK;
    float *to = job->copy + block * from->block_step;
    for (int64_t p = 0; p < from->phases[0]; p++) {
      for (int64_t q = 0; q < from->phases[1]; q++) {
        for (int64_t row = 0; row < from->size[0]; row++, to += from->size[1] * BLOCK) {
          copy_row(to, x, row * s->stride[0] + p - s->low[0], q - s->low[1], from, s);
        }
      }
    }
  }
}

// A tile of `rows` × `columns` places: `x` is where its first place meets the kernel's first element in the first
// block of channels, `y` and `residual` where it lies, and `row` its first row.
typedef struct {
  const float *x, *w, *bias, *residual;
  float *y;
  int64_t row;
} tile;

// Adds the products of 16 channels of x with one element of the kernel, for rows `first` to `end` of the tile; the others
// meet nothing but zeros. Returns where the weights go on. `first`, `end` and `columns` are known where this is inlined,
// so that the sums are registers.
PK_INLINE const float *add_products(lanes *sums, const float *x, int64_t pitch, const float *w, int first, int end,
                                    int columns) {
  _Pragma("unroll 4") for (int i = 0; i < BLOCK; i++, w += BLOCK) {
    // Further than the processor looks ahead by itself, which stops where a page ends.
    __builtin_prefetch(w + AHEAD);
    lanes weights = *(const lanes *)w;
    _Pragma("unroll") for (int r = first; r < end; r++) {
      _Pragma("unroll") for (int c = 0; c < columns; c++) {
        sums[r * columns + c] += weights * x[r * pitch + c * BLOCK + i];
      }
    }
  }
  return w;
}

PK_INLINE void sum_tile(const stream_job *job, tile t, int rows, int columns) {
  const pk_stream *s = job->sizes;
  const source *from = &job->source;
  int64_t pitch = from->size[1] * BLOCK;
  lanes sums[MAX_ROWS * MAX_COLUMNS];
  _Pragma("unroll") for (int i = 0; i < rows * columns; i++) sums[i] = (lanes){0};
  const float *w = t.w;
  for (int64_t block = 0; block < s->inputs / BLOCK; block++) {
    for (int64_t u = 0; u < s->kernel[0] * s->dilation[0]; u += s->dilation[0]) {
      // The rows of x that the tile's first and last row meet.
      int64_t top = t.row * s->stride[0] + u - s->low[0], bottom = top + (rows - 1) * s->stride[0];
      int misses_first = rows > 1 && top < 0, misses_last = rows > 1 && bottom >= s->size[0];
      for (int64_t v = 0; v < s->kernel[1] * s->dilation[1]; v += s->dilation[1]) {
        int64_t phase = u % s->stride[0] * from->phases[1] + v % s->stride[1];
        int64_t place = u / s->stride[0] * from->size[1] + v / s->stride[1];
        const float *x = t.x + block * from->block_step + phase * from->phase_step + place * BLOCK;
        if (misses_first) w = add_products(sums, x, pitch, w, 1, rows, columns);
        else if (misses_last) w = add_products(sums, x, pitch, w, 0, rows - 1, columns);
        else w = add_products(sums, x, pitch, w, 0, rows, columns);
      }
    }
  }
  lanes bias = t.bias ? *(const lanes *)t.bias : (lanes){0};
  _Pragma("unroll") for (int r = 0; r < rows; r++) {
    _Pragma("unroll") for (int c = 0; c < columns; c++) {
      int64_t at = (r * s->out_size[1] + c) * BLOCK;
      lanes sum = sums[r * columns + c] + bias;
      if (t.residual) sum += *(const lanes *)(t.residual + at);
      if (job->rectifies) _Pragma("unroll") for (int i = 0; i < BLOCK; i++) sum[i] = sum[i] > 0 ? sum[i] : 0;
      *(lanes *)(t.y + at) = sum;
    }
  }
}

#define TILE(ROWS, COLUMNS)                                                                                  \
  PK_LEVELS(void, sum_##ROWS##_##COLUMNS, (const stream_job *job, tile t), (job, t)) {                       \
    sum_tile(job, t, ROWS, COLUMNS);                                                                         \
  }
TILE(1, 1) TILE(1, 2) TILE(1, 4) TILE(1, 7)
TILE(2, 1) TILE(2, 2) TILE(2, 4) TILE(2, 7)
TILE(4, 1) TILE(4, 2) TILE(4, 4) TILE(4, 7)

typedef void (*tile_fn)(const stream_job *, tile);
static const int64_t tile_rows[] = {1, 2, 4}, tile_columns[] = {1, 2, 4, 7};
static const tile_fn tile_fns[3][4] = {
    {sum_1_1, sum_1_2, sum_1_4, sum_1_7}, {sum_2_1, sum_2_2, sum_2_4, sum_2_7}, {sum_4_1, sum_4_2, sum_4_4, sum_4_7}};

static int largest(const int64_t *sizes, int count, int64_t most) {
  int choice = count - 1;
  while (sizes[choice] > most) choice--;
  return choice;
}

// Item: one block of outputs.
static void sum_blocks(void *context, int64_t begin, int64_t end) {
  const stream_job *job = context;
  const pk_stream *s = job->sizes;
  const source *from = &job->source;
  const float *x = from->is_x ? job->x : job->copy;
  int64_t weights = s->inputs * s->kernel[0] * s->kernel[1] * BLOCK;
  for (int64_t block = begin; block < end; block++) {
    for (int64_t sample = 0; sample < s->n; sample++) {
      int64_t plane = (sample * (s->outputs / BLOCK) + block) * s->out_size[0] * s->out_size[1];
      for (int64_t row = 0, rows; row < s->out_size[0]; row += rows) {
        int tall = largest(tile_rows, 3, s->out_size[0] - row);
        rows = tile_rows[tall];
        for (int64_t column = 0, columns; column < s->out_size[1]; column += columns) {
          // Tiles of about the same width: few columns leave the multipliers waiting for sums.
          int64_t rest = s->out_size[1] - column;
          int wide = largest(tile_columns, 4, pk_ceil_div(rest, pk_ceil_div(rest, MAX_COLUMNS)));
          columns = tile_columns[wide];
          int64_t at = (plane + row * s->out_size[1] + column) * BLOCK;
          tile t = {.x = x + sample * (s->inputs / BLOCK) * from->block_step + (row * from->size[1] + column) * BLOCK,
                    .w = job->w + block * weights,
                    .bias = job->bias ? job->bias + block * BLOCK : NULL,
                    .residual = job->residual ? job->residual + at : NULL,
                    .y = job->y + at,
                    .row = row};
          tile_fns[tall][wide](job, t);
        }
      }
    }
  }
}

pk_status pk_stream_convolution(float *y, const float *x, const float *packed, const float *bias,
                                const float *residual, int rectifies, const pk_stream *sizes, void *workspace,
                                int threads) {
  pk_status status = check(sizes);
  if (status != PK_OK) return status;
  stream_job job = {y, workspace, x, packed, bias, residual, rectifies, sizes, source_of(sizes)};
  int64_t blocks = sizes->n * (sizes->inputs / BLOCK);
  if (!job.source.is_x) {
    int64_t copied = blocks * job.source.block_step;
    pk_parallel_ranges(pk_useful_threads(threads, copied), blocks, copy_blocks, &job);
  }
  int64_t products = sizes->n * sizes->out_size[0] * sizes->out_size[1] * sizes->kernel[0] * sizes->kernel[1] *
                     sizes->inputs * (sizes->outputs / BLOCK);
  pk_parallel_ranges(pk_useful_threads(threads, products), sizes->outputs / BLOCK, sum_blocks, &job);
  return PK_OK;
}

typedef struct {
  float *packed, *w;
  const pk_stream *sizes;
  int unpacks;
} pack_job;

// Item: one block of outputs.
static void pack_blocks(void *context, int64_t begin, int64_t end) {
  const pack_job *job = context;
  int64_t inputs = job->sizes->inputs, taps = job->sizes->kernel[0] * job->sizes->kernel[1];
  for (int64_t block = begin; block < end; block++) {
    for (int64_t o = 0; o < BLOCK; o++) {
      for (int64_t i = 0; i < inputs; i++) {
        float *w = job->w + ((block * BLOCK + o) * inputs + i) * taps;
        float *packed = job->packed + ((block * inputs + i / BLOCK * BLOCK) * taps * BLOCK) + i % BLOCK * BLOCK + o;
        for (int64_t tap = 0; tap < taps; tap++) {
          float *place = packed + tap * BLOCK * BLOCK;
          if (job->unpacks) w[tap] = *place;
          else *place = w[tap];
        }
      }
    }
  }
}

static pk_status pack(pack_job job, int threads) {
  pk_status status = check(job.sizes);
  if (status != PK_OK) return status;
  pk_parallel_ranges(threads, job.sizes->outputs / BLOCK, pack_blocks, &job);
  return PK_OK;
}

pk_status pk_stream_pack(float *packed, const float *w, const pk_stream *sizes, int threads) {
  return pack((pack_job){packed, (float *)w, sizes, 0}, threads);
}

pk_status pk_stream_unpack(float *w, const float *packed, const pk_stream *sizes, int threads) {
  return pack((pack_job){(float *)packed, w, sizes, 1}, threads);
}
