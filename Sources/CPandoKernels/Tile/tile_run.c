// Runs a program tile by tile.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "tile.h"

// Where a tile lies: `rows` rows from row number `row`, and of each the columns `column ..< column + length`.
typedef struct {
  int64_t row, rows, column, length;
  // Of the first row: its place along each dimension but the last.
  int64_t place[PK_MAX_RANK];
} pk_region;

typedef struct {
  const pk_tile_program *program;
  void *const *pointers;
} pk_run;

static pk_region region_of_tile(const pk_tile_program *p, int64_t tile) {
  pk_region region;
  if (p->tile_rows == 1) {
    region.row = tile / p->chunks;
    region.rows = 1;
    region.column = tile % p->chunks * p->chunk;
    region.length = pk_min64(p->chunk, p->inner - region.column);
  } else {
    region.row = tile * p->tile_rows;
    region.rows = pk_min64(p->tile_rows, p->rows - region.row);
    region.column = 0;
    region.length = p->inner;
  }
  int64_t rest = region.row;
  for (int d = p->rank - 2; d >= 0; d--) {
    region.place[d] = rest % p->shape[d];
    rest /= p->shape[d];
  }
  return region;
}

static int64_t offset_of(const pk_tile_program *p, const int64_t *strides, const int64_t *place,
                         int64_t column) {
  int64_t offset = column * strides[p->rank - 1];
  for (int d = 0; d < p->rank - 1; d++) offset += place[d] * strides[d];
  return offset;
}

// Runs of rows that follow each other along the last dimension but one are transferred together.
typedef struct {
  int64_t offset, rows, row_stride;
} pk_rows;

// Takes the next run of at most `left` rows at `place`, and moves `place` behind it.
static pk_rows next_rows(const pk_tile_program *p, const int64_t *strides, int64_t *place, int64_t column,
                         int64_t left) {
  pk_rows run = {offset_of(p, strides, place, column), 1, 0};
  int d = p->rank - 2;
  if (d < 0) return run;
  run.row_stride = strides[d];
  run.rows = pk_min64(left, p->shape[d] - place[d]);
  place[d] += run.rows;
  for (; d > 0 && place[d] == p->shape[d]; d--) {
    place[d] = 0;
    place[d - 1]++;
  }
  return run;
}

// Loads, stores and coordinates; `value` is the register.
static void transfer(const pk_tile_program *p, const pk_step *step, const pk_region *region, char *memory,
                     char *value, pk_dtype storage, size_t register_size) {
  const int64_t *strides = step->kind == PK_STEP_IOTA ? step->strides : p->strides[step->operand];
  int64_t size = (int64_t)pk_size(storage), inner = p->rank - 1;
  int64_t place[PK_MAX_RANK];
  memcpy(place, region->place, sizeof place);
  for (int64_t left = region->rows; left > 0;) {
    pk_rows run = next_rows(p, strides, place, region->column, left);
    if (step->kind == PK_STEP_IOTA) {
      step->transfer(value, (const void *)(intptr_t)run.offset, region->length, strides[inner], run.rows,
                     run.row_stride);
    } else if (step->kind == PK_STEP_LOAD) {
      step->transfer(value, memory + run.offset * size, region->length, strides[inner], run.rows,
                     run.row_stride);
    } else {
      step->transfer(memory + run.offset * size, value, region->length, strides[inner], run.rows,
                     run.row_stride);
    }
    left -= run.rows;
    value += run.rows * region->length * (int64_t)register_size;
  }
}

static void run_step(const pk_run *run, const pk_step *step, const pk_region *region, void **address) {
  const pk_tile_program *p = run->program;
  int64_t n = region->rows * region->length;
  switch (step->kind) {
    case PK_STEP_COMPUTE: {
      // Absent operands read value 0's address, which the function ignores.
      const void *a = address[step->a < 0 ? 0 : step->a];
      const void *b = address[step->b < 0 ? 0 : step->b];
      const void *c = address[step->c < 0 ? 0 : step->c];
      step->fn(address[step->d], a, b, c, n, step);
      return;
    }
    case PK_STEP_RANDOM: {
      uint64_t seed = *(const uint64_t *)address[step->a], counter = *(const uint64_t *)address[step->b];
      uint64_t first = (uint64_t)(region->row * p->inner + region->column);
      pk_random_tile(address[step->d], step->wide, first, n, seed, counter, (uint32_t)step->integer);
      return;
    }
    case PK_STEP_IOTA: transfer(p, step, region, NULL, address[step->d], PK_U8, step->size); return;
    case PK_STEP_LOAD:
      transfer(p, step, region, run->pointers[step->operand], address[step->d], p->dtypes[step->operand],
               step->size);
      return;
    case PK_STEP_STORE:
      transfer(p, step, region, run->pointers[step->operand], address[step->a], p->dtypes[step->operand],
               step->size);
      return;
  }
}

// Values that are read or written in place.
static void set_direct(const pk_run *run, const pk_region *region, void **address) {
  const pk_tile_program *p = run->program;
  for (int i = 0; i < p->direct_count; i++) {
    int operand = p->direct_operand[i];
    int64_t offset = p->dense[operand] ? region->row * p->inner + region->column
                                       : offset_of(p, p->strides[operand], region->place, region->column);
    address[p->direct_value[i]] =
        (char *)run->pointers[operand] + offset * (int64_t)pk_size(p->dtypes[operand]);
  }
}

static void run_tiles(void *context, int64_t begin, int64_t end) {
  const pk_run *run = context;
  const pk_tile_program *p = run->program;
  _Alignas(64) char scratch[PK_TILE_SCRATCH];
  void *address[PK_TILE_MAX_VALUES];
  for (int i = 0; i < p->value_count; i++) address[i] = p->offsets[i] < 0 ? NULL : scratch + p->offsets[i];
  const pk_step *step = p->steps;
  pk_region one = {.rows = 1, .length = 1};
  for (int i = 0; i < p->scalar_steps; i++) run_step(run, step++, &one, address);
  pk_region whole = region_of_tile(p, 0);
  for (int i = 0; i < p->fixed_steps; i++) run_step(run, step++, &whole, address);
  for (int64_t tile = begin; tile < end; tile++) {
    pk_region region = region_of_tile(p, tile);
    set_direct(run, &region, address);
    for (int i = 0; i < p->step_count; i++) run_step(run, step + i, &region, address);
  }
}

void pk_tile_run(const pk_tile_program *program, void *const *pointers, int threads) {
  if (program->count == 0) return;
  pk_run run = {program, pointers};
  pk_parallel_ranges(pk_useful_threads(threads, program->work), program->tiles, run_tiles, &run);
}
