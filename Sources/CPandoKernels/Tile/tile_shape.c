// The iteration shape: merging dimensions, and cutting tiles.
#include "../Support/simd.h"
#include "tile_plan.h"

// Whether the merged dimension `d` and the one before it are one for these strides.
static int mergeable(const int64_t *strides, int d, int64_t size) {
  return strides[d - 1] == strides[d] * size;
}

static void drop(int64_t *values, int d, int rank) {
  for (int i = d; i + 1 < rank; i++) values[i] = values[i + 1];
}

// Removes dimension `d` from the shape and all strides.
static void remove_dimension(pk_plan *plan, int d) {
  pk_tile_program *p = plan->program;
  drop(p->shape, d, p->rank);
  for (int i = 0; i < p->operand_count; i++) drop(p->strides[i], d, p->rank);
  for (int i = 0; i < plan->desc->instruction_count; i++) drop(plan->iota[i], d, p->rank);
  p->rank--;
}

static int all_mergeable(const pk_plan *plan, int d) {
  const pk_tile_program *p = plan->program;
  for (int i = 0; i < p->operand_count; i++) {
    if (!mergeable(p->strides[i], d, p->shape[d])) return 0;
  }
  for (int i = 0; i < plan->desc->instruction_count; i++) {
    if (plan->desc->instructions[i].op == PK_OP_IOTA && !mergeable(plan->iota[i], d, p->shape[d])) return 0;
  }
  return 1;
}

static int is_dense(const pk_tile_program *p, const int64_t *strides) {
  int64_t expected = 1;
  for (int d = p->rank - 1; d >= 0; d--) {
    if (p->shape[d] != 1 && strides[d] != expected) return 0;
    expected *= p->shape[d];
  }
  return 1;
}

void pk_tile_merge(pk_plan *plan) {
  const pk_tile_desc *desc = plan->desc;
  pk_tile_program *p = plan->program;
  p->rank = desc->rank;
  p->operand_count = desc->input_count + desc->output_count;
  p->count = 1;
  for (int d = 0; d < p->rank; d++) {
    p->shape[d] = desc->shape[d];
    p->count *= desc->shape[d];
  }
  for (int i = 0; i < p->operand_count; i++) {
    p->dtypes[i] = desc->dtypes[i];
    for (int d = 0; d < p->rank; d++) p->strides[i][d] = desc->strides[(int64_t)i * desc->rank + d];
  }
  for (int i = 0; i < desc->instruction_count; i++) {
    if (desc->instructions[i].op == PK_OP_IOTA) plan->iota[i][desc->instructions[i].index] = 1;
  }
  for (int d = p->rank - 1; d >= 0; d--) {
    if (p->shape[d] == 1) remove_dimension(plan, d);
  }
  for (int d = p->rank - 1; d > 0; d--) {
    if (!all_mergeable(plan, d)) continue;
    // The inner strides stay, the sizes multiply, and the outer dimension goes.
    p->shape[d] *= p->shape[d - 1];
    remove_dimension(plan, d - 1);
  }
  if (p->rank == 0) {
    p->rank = 1;
    p->shape[0] = 1;
    for (int i = 0; i < p->operand_count; i++) p->strides[i][0] = 0;
  }
  for (int i = 0; i < p->operand_count; i++) p->dense[i] = (uint8_t)is_dense(p, p->strides[i]);
}

void pk_tile_cut(pk_tile_program *p, int64_t length) {
  p->inner = p->shape[p->rank - 1];
  p->rows = p->inner > 0 ? p->count / p->inner : 0;
  if (p->rank == 1 || 2 * p->inner > length) {
    // Pieces of equal length, in whole cache lines.
    int64_t pieces = pk_max64(1, pk_ceil_div(p->inner, length));
    p->tile_rows = 1;
    p->chunk = pieces == 1 ? p->inner : pk_min64(length, pk_ceil_div(pk_ceil_div(p->inner, pieces), 64) * 64);
    p->chunks = p->chunk > 0 ? pk_ceil_div(p->inner, p->chunk) : 0;
    p->tiles = p->rows * p->chunks;
  } else {
    p->chunk = p->inner;
    p->chunks = 1;
    p->tile_rows = p->inner > 0 ? pk_min64(pk_max64(p->rows, 1), length / p->inner) : 1;
    p->tiles = pk_ceil_div(p->rows, p->tile_rows);
  }
}

int pk_tile_is_run(const pk_tile_program *p, int operand) {
  if (p->dense[operand]) return 1;
  return p->tile_rows == 1 && (p->strides[operand][p->rank - 1] == 1 || p->inner == 1);
}
