// The product of transformed tiles and filters, and back: y, and with input and output exchanged the gradient of x.
#include <string.h>

#include "../Support/product.h"
#include "../Support/parallel.h"
#include "filters.h"
#include "tiles.h"

// Filters of more channels than this are transformed panel by panel, by whoever needs the panel, while all tiles wait;
// with fewer, whoever has a few tiles takes them through all panels, and they never leave the cache. Filters may also
// have been transformed once for many products.
#define FEW_CHANNELS (128 * 128)

typedef struct plan {
  tiling tiles;
  filters filters;
  int has_few, is_packed;
  int threads;
  // Tiles that go through a product together, and how many such blocks there are.
  int64_t block, blocks;
  int64_t panels;
  // Distances between the 36 matrices of tiles, filters and results; elements of all filters that are kept.
  int64_t tile_stride, filter_stride, result_stride;
  // What each thread has to itself, and what all share, in elements.
  int64_t own, shared;
} plan;

static plan plan_of(const pk_winograd *shape, int is_turned, int is_packed, int threads) {
  pk_winograd turned = pk_winograd_reversed(shape);
  plan p = {.tiles = pk_winograd_tiling(is_turned ? &turned : shape), .filters = pk_winograd_filters(shape, is_turned)};
  int64_t rows = p.filters.rows, columns = p.filters.columns, width = pk_min64(PANEL, columns);
  p.has_few = rows * columns <= FEW_CHANNELS;
  p.is_packed = is_packed;
  // Tiles and results of a block, and the filters of a panel, should find room in a second-level cache of a MiB.
  p.block = !p.has_few ? 64 : rows * columns <= 64 * 64 ? 24 : 32;
  // Whole blocks of rows, as the product makes them: rows that are left over go one by one.
  int64_t rows_at_once = pk_product_rows();
  p.block = pk_min64(p.block, pk_ceil_div(p.tiles.count, rows_at_once) * rows_at_once);
  p.block = p.block / rows_at_once * rows_at_once;
  p.blocks = pk_ceil_div(p.tiles.count, p.block);
  p.panels = pk_ceil_div(columns, PANEL);
  p.threads = (int)pk_min64(threads, p.has_few ? p.blocks : p.panels);
  p.tile_stride = plane_stride(p.block, rows);
  p.filter_stride = plane_stride(rows, width);
  p.result_stride = plane_stride(p.block, width);
  int64_t tiles = POINTS * p.tile_stride, panel = POINTS * p.filter_stride, results = POINTS * p.result_stride;
  p.own = results + (p.has_few ? tiles : is_packed ? 0 : panel);
  p.shared = !p.has_few ? p.blocks * tiles : is_packed ? 0 : p.panels * panel;
  return p;
}

typedef struct job {
  plan plan;
  float *y;
  const float *x, *w;
  const pk_winograd_epilogue *epilogue;
  // Tiles that all share, transformed filters, and what each thread has to itself.
  float *tiles, *panels, *own;
} job;

static void transform_filters(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t i = begin; i < end; i++) {
    int64_t panel = i / p->filters.rows, row = i % p->filters.rows, column = panel * PANEL;
    pk_winograd_filter(j->panels + panel * POINTS * p->filter_stride, p->filter_stride, j->w, &p->filters, column,
                       panel_width(p->filters.columns, column), row, row + 1);
  }
}

static void transform_tiles(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t b = begin; b < end; b++) {
    pk_winograd_input(j->tiles + b * POINTS * p->tile_stride, p->tile_stride, j->x, &p->tiles, b * p->block,
                      pk_min64((b + 1) * p->block, p->tiles.count));
  }
}

// Multiplies one block of tiles by one panel, and writes what comes out.
static void multiply(const job *j, const float *tiles, const float *panel, float *results, int64_t block,
                     int64_t column) {
  const plan *p = &j->plan;
  int64_t rows = p->filters.rows, width = panel_width(p->filters.columns, column);
  int64_t begin = block * p->block, end = pk_min64(begin + p->block, p->tiles.count);
  for (int i = 0; i < POINTS; i++) {
    float *product = results + i * p->result_stride;
    memset(product, 0, (size_t)((end - begin) * width) * sizeof *product);
    pk_product(product, width, tiles + i * p->tile_stride, rows, 1, panel + i * p->filter_stride, width, end - begin,
               width, rows);
  }
  pk_winograd_output(j->y, results, p->result_stride, j->epilogue, &p->tiles, column, width, begin, end);
}

// Each thread's blocks of tiles, through all panels.
static void run_blocks(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t thread = begin; thread < end; thread++) {
    float *results = j->own + thread * p->own, *tiles = results + POINTS * p->result_stride;
    for (int64_t b = p->blocks * thread / p->threads; b < p->blocks * (thread + 1) / p->threads; b++) {
      pk_winograd_input(tiles, p->tile_stride, j->x, &p->tiles, b * p->block,
                        pk_min64((b + 1) * p->block, p->tiles.count));
      for (int64_t panel = 0; panel < p->panels; panel++) {
        multiply(j, tiles, j->panels + panel * POINTS * p->filter_stride, results, b, panel * PANEL);
      }
    }
  }
}

// Each thread's panels, over all blocks of tiles.
static void run_panels(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const plan *p = &j->plan;
  for (int64_t thread = begin; thread < end; thread++) {
    float *results = j->own + thread * p->own, *filters = results + POINTS * p->result_stride;
    for (int64_t panel = p->panels * thread / p->threads; panel < p->panels * (thread + 1) / p->threads; panel++) {
      int64_t column = panel * PANEL;
      const float *ready = j->panels + panel * POINTS * p->filter_stride;
      if (!p->is_packed) {
        pk_winograd_filter(filters, p->filter_stride, j->w, &p->filters, column,
                           panel_width(p->filters.columns, column), 0, p->filters.rows);
        ready = filters;
      }
      for (int64_t b = 0; b < p->blocks; b++) {
        multiply(j, j->tiles + b * POINTS * p->tile_stride, ready, results, b, column);
      }
    }
  }
}

static size_t workspace_of(const pk_winograd *shape, int is_turned, int is_packed, int threads) {
  if (pk_winograd_check(shape) != PK_OK) return 0;
  plan p = plan_of(shape, is_turned, is_packed, threads);
  return (size_t)(p.shared + p.threads * p.own) * sizeof(float);
}

// A row of a panel at a time.
static void transform_all_filters(job *j, int threads) {
  const plan *p = &j->plan;
  int64_t rows = p->panels * p->filters.rows;
  pk_parallel_ranges(pk_useful_threads(threads, rows * PANEL * POINTS), rows, transform_filters, j);
}

static pk_status run(float *y, const float *x, const float *w, const pk_winograd *shape,
                     const pk_winograd_epilogue *epilogue, int is_turned, int is_packed, float *workspace,
                     int threads) {
  pk_status status = pk_winograd_check(shape);
  if (status != PK_OK) return status;
  job j = {plan_of(shape, is_turned, is_packed, threads), y, x, w, epilogue, workspace, workspace, workspace};
  const plan *p = &j.plan;
  j.own += p->shared;
  // Whoever packed the filters is done with them before, and nobody writes to them here.
  if (is_packed) j.panels = (float *)w;
  if (p->has_few) {
    if (!is_packed) transform_all_filters(&j, threads);
    pk_parallel_ranges(p->threads, p->threads, run_blocks, &j);
  } else {
    pk_parallel_ranges(threads, p->blocks, transform_tiles, &j);
    pk_parallel_ranges(p->threads, p->threads, run_panels, &j);
  }
  return PK_OK;
}

size_t pk_winograd_packed_bytes(const pk_winograd *shape) {
  if (pk_winograd_check(shape) != PK_OK) return 0;
  plan p = plan_of(shape, 0, 1, 1);
  return (size_t)(p.panels * POINTS * p.filter_stride) * sizeof(float);
}

pk_status pk_winograd_pack(float *packed, const float *w, const pk_winograd *shape, int threads) {
  pk_status status = pk_winograd_check(shape);
  if (status != PK_OK) return status;
  job j = {.plan = plan_of(shape, 0, 1, threads), .w = w, .panels = packed};
  transform_all_filters(&j, threads);
  return PK_OK;
}

size_t pk_winograd_forward_workspace(const pk_winograd *shape, int is_packed, int threads) {
  return workspace_of(shape, 0, is_packed, threads);
}

size_t pk_winograd_input_gradient_workspace(const pk_winograd *shape, int threads) {
  return workspace_of(shape, 1, 0, threads);
}

pk_status pk_winograd_forward(float *y, const float *x, const float *w, int is_packed, const pk_winograd *shape,
                              const pk_winograd_epilogue *epilogue, void *workspace, int threads) {
  return run(y, x, w, shape, epilogue, 0, is_packed, workspace, threads);
}

pk_status pk_winograd_input_gradient(float *dx, const float *dy, const float *w, const pk_winograd *shape,
                                     void *workspace, int threads) {
  pk_winograd_epilogue nothing = {0};
  return run(dx, dy, w, shape, &nothing, 1, 0, workspace, threads);
}
