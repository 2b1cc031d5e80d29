// The gradient of the filters: transformed tiles of x times those of dy, summed over all tiles, and back.
//
// Tiles go by in chunks. With few channels each of a fixed number of parts has its own chunks and its own sums, all in
// the cache, and these are added in their order. With many all threads transform a chunk, then each adds up its share
// of the sums. Where one chunk holds all tiles, sums go back into filters a few rows at a time, and are never all there.
#include <string.h>

#include "../Support/product.h"
#include "../Support/parallel.h"
#include "filters.h"
#include "tiles.h"

#define FEW_CHANNELS (64 * 64)
// The most parts; no more threads find work.
#define PARTS 8
// The points are multiplied in so many groups.
#define POINT_GROUPS 6
// Rows of sums that are made at once where one chunk holds all tiles.
#define BAND 32

typedef struct plan {
  tiling tiles;
  filters filters;
  int64_t panels;
  // How many tiles a chunk has, how many chunks a part, how many parts there are.
  int64_t chunk, chunks, parts;
  int64_t input_stride, cotangent_stride, sum_stride;
  // Elements of the tiles of a chunk, of those of dy for a panel, of a panel's sums, and of all sums that are kept.
  int64_t input, cotangent, sum, sums;
  // Bands of rows in a panel.
  int64_t bands;
  int threads;
} plan;

static plan plan_of(const pk_winograd *shape, int threads) {
  plan p = {.tiles = pk_winograd_tiling(shape), .filters = pk_winograd_filters(shape, 0)};
  int64_t rows = p.filters.rows, columns = p.filters.columns, width = pk_min64(PANEL, columns), tiles = p.tiles.count;
  p.panels = pk_ceil_div(columns, PANEL);
  if (rows * columns <= FEW_CHANNELS) {
    p.chunk = pk_min64(32, tiles);
    p.parts = pk_max64(1, pk_min64(PARTS, tiles / 96));
  } else {
    // Both sorts of tiles should find room in a third-level cache that others use too.
    p.chunk = pk_min64(tiles, pk_max64(64, 65536 / pk_max64(rows + columns, 1)));
    p.parts = 1;
  }
  p.chunks = pk_ceil_div(pk_ceil_div(tiles, p.chunk), p.parts);
  p.parts = pk_ceil_div(tiles, p.chunks * p.chunk);
  p.threads = threads;
  p.input_stride = plane_stride(p.chunk, rows);
  p.cotangent_stride = plane_stride(p.chunk, width);
  p.sum_stride = plane_stride(rows, width);
  p.input = POINTS * p.input_stride;
  p.cotangent = POINTS * p.cotangent_stride;
  p.sum = POINTS * p.sum_stride;
  p.sums = p.parts * p.panels * p.sum;
  p.bands = pk_ceil_div(rows, BAND);
  if (p.parts == 1 && p.chunks == 1) {
    p.sum_stride = plane_stride(BAND, width);
    p.threads = (int)pk_min64(threads, p.panels * p.bands);
    p.sums = p.threads * POINTS * p.sum_stride;
  }
  return p;
}

typedef struct job {
  plan plan;
  float *dw;
  const float *x, *dy;
  // For each part, or for all threads: the tiles of a chunk, and the sums.
  float *tiles, *sums;
  // The chunk's tiles.
  int64_t begin, end;
} job;

static int64_t tile_elements(const plan *p) { return p->input + p->panels * p->cotangent; }

// Adds to `sums`, at points `first` ..< `last`, what a chunk's tiles give for `rows` rows of a panel from `row` on.
static void add(const plan *p, float *sums, const float *tiles, int64_t panel, int64_t count, int first, int last,
                int64_t row, int64_t rows) {
  int64_t width = panel_width(p->filters.columns, panel * PANEL);
  const float *cotangent = tiles + p->input + panel * p->cotangent;
  for (int i = first; i < last; i++) {
    pk_product(sums + i * p->sum_stride, width, tiles + i * p->input_stride + row, 1, p->filters.rows,
               cotangent + i * p->cotangent_stride, width, rows, width, count);
  }
}

static void run_parts(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t part = begin; part < end; part++) {
    float *tiles = j->tiles + part * tile_elements(p), *sums = j->sums + part * p->panels * p->sum;
    memset(sums, 0, (size_t)(p->panels * p->sum) * sizeof *sums);
    int64_t first = part * p->chunks * p->chunk, last = pk_min64(first + p->chunks * p->chunk, p->tiles.count);
    for (int64_t at = first; at < last; at += p->chunk) {
      int64_t next = pk_min64(at + p->chunk, last);
      pk_winograd_input(tiles, p->input_stride, j->x, &p->tiles, at, next);
      for (int64_t panel = 0; panel < p->panels; panel++) {
        int64_t column = panel * PANEL;
        pk_winograd_cotangent(tiles + p->input + panel * p->cotangent, p->cotangent_stride, j->dy, &p->tiles, column,
                              panel_width(p->filters.columns, column), at, next);
        add(p, sums + panel * p->sum, tiles, panel, next - at, 0, POINTS, 0, p->filters.rows);
      }
    }
  }
}

// A tile of the chunk at a time.
static void transform_chunk(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  pk_winograd_input(j->tiles + begin * p->filters.rows, p->input_stride, j->x, &p->tiles, j->begin + begin,
                    j->begin + end);
  for (int64_t panel = 0; panel < p->panels; panel++) {
    int64_t column = panel * PANEL, width = panel_width(p->filters.columns, column);
    pk_winograd_cotangent(j->tiles + p->input + panel * p->cotangent + begin * width, p->cotangent_stride, j->dy,
                          &p->tiles, column, width, j->begin + begin, j->begin + end);
  }
}

// A group of points of a panel at a time.
static void add_chunk(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t i = begin; i < end; i++) {
    int64_t panel = i / POINT_GROUPS, group = i % POINT_GROUPS;
    int first = (int)group * POINTS / POINT_GROUPS, last = first + POINTS / POINT_GROUPS;
    if (j->begin == 0) {
      memset(j->sums + panel * p->sum + first * p->sum_stride, 0,
             (size_t)((last - first) * p->sum_stride) * sizeof *j->sums);
    }
    add(p, j->sums + panel * p->sum, j->tiles, panel, j->end - j->begin, first, last, 0, p->filters.rows);
  }
}

// Adds the sums of all parts to those of the first, a run of elements at a time.
#define RUN 4096

PK_LEVELS(void, add_parts, (float *sums, int64_t count, int64_t distance, int64_t parts),
          (sums, count, distance, parts)) {
  for (int64_t part = 1; part < parts; part++) {
    const float *other = sums + part * distance;
    for (int64_t i = 0; i < count; i++) sums[i] += other[i];
  }
}

static void combine(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  int64_t size = j->plan.panels * j->plan.sum;
  begin *= RUN;
  end = pk_min64(end * RUN, size);
  for (; begin < end; begin += RUN) {
    add_parts(j->sums + begin, pk_min64(RUN, end - begin), size, j->plan.parts);
  }
}

// A row of a panel at a time.
static void finish(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  int64_t rows = p->filters.rows;
  while (begin < end) {
    int64_t panel = begin / rows, row = begin % rows, column = panel * PANEL;
    int64_t last = pk_min64(rows, row + end - begin), width = panel_width(p->filters.columns, column);
    pk_winograd_filter_gradient(j->dw, j->sums + panel * p->sum + row * width, p->sum_stride, &p->filters, column,
                                width, row, last);
    begin += last - row;
  }
}

// Each thread's bands, panel after panel, from tiles to filters.
static void run_bands(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  int64_t bands = p->panels * p->bands;
  for (int64_t thread = begin; thread < end; thread++) {
    float *sums = j->sums + thread * POINTS * p->sum_stride;
    for (int64_t i = bands * thread / p->threads; i < bands * (thread + 1) / p->threads; i++) {
      int64_t panel = i / p->bands, row = i % p->bands * BAND, rows = pk_min64(BAND, p->filters.rows - row);
      memset(sums, 0, (size_t)(POINTS * p->sum_stride) * sizeof *sums);
      add(p, sums, j->tiles, panel, p->tiles.count, 0, POINTS, row, rows);
      pk_winograd_filter_gradient(j->dw, sums, p->sum_stride, &p->filters, panel * PANEL,
                                  panel_width(p->filters.columns, panel * PANEL), row, row + rows);
    }
  }
}

size_t pk_winograd_weight_gradient_workspace(const pk_winograd *shape, int threads) {
  if (pk_winograd_check(shape) != PK_OK) return 0;
  plan p = plan_of(shape, threads);
  return (size_t)(p.parts * tile_elements(&p) + p.sums) * sizeof(float);
}

pk_status pk_winograd_weight_gradient(float *dw, const float *x, const float *dy, const pk_winograd *shape,
                                      void *workspace, int threads) {
  pk_status status = pk_winograd_check(shape);
  if (status != PK_OK) return status;
  job j = {plan_of(shape, threads), dw, x, dy, workspace, NULL, 0, 0};
  const plan *p = &j.plan;
  j.sums = j.tiles + p->parts * tile_elements(p);
  if (p->parts == 1 && p->chunks == 1) {
    j.end = p->tiles.count;
    pk_parallel_ranges(threads, j.end, transform_chunk, &j);
    pk_parallel_ranges(p->threads, p->threads, run_bands, &j);
    return PK_OK;
  }
  if (p->parts > 1) {
    pk_parallel_items(threads, p->parts, run_parts, &j);
    int64_t runs = pk_ceil_div(p->panels * p->sum, RUN);
    pk_parallel_ranges(threads, runs, combine, &j);
  } else {
    for (; j.begin < p->tiles.count; j.begin = j.end) {
      j.end = pk_min64(j.begin + p->chunk, p->tiles.count);
      pk_parallel_ranges(threads, j.end - j.begin, transform_chunk, &j);
      pk_parallel_ranges(threads, p->panels * POINT_GROUPS, add_chunk, &j);
    }
  }
  pk_parallel_ranges(threads, p->panels * p->filters.rows, finish, &j);
  return PK_OK;
}
