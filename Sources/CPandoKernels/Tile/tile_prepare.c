// From a description to a program.
#include <stdlib.h>
#include <string.h>

#include "tile_plan.h"

static pk_status plan_with_best_length(pk_plan *plan) {
  static const int64_t lengths[] = {4096, 2048, 1024, 512, 256, 128};
  // The longest tile whose registers stay in the cache; the shortest may take all of the stack's share.
  for (int i = 0; i < 6; i++) {
    pk_tile_cut(plan->program, lengths[i]);
    pk_status status = pk_tile_order(plan);
    if (status != PK_OK) return status;
    int64_t bytes = pk_tile_allocate(plan);
    // Memory that is read and written in place passes through the cache too.
    if (bytes + plan->program->direct_count * 4 * pk_tile_length(plan->program) <= PK_TILE_CACHE)
      return PK_OK;
    if (i == 5) return bytes <= PK_TILE_SCRATCH ? PK_OK : PK_LIMIT;
  }
  return PK_OK;
}

// What one element costs, in additions.
static int64_t weigh(const pk_tile_desc *desc) {
  int64_t weight = 0;
  for (int i = 0; i < desc->instruction_count; i++) {
    pk_tile_op op = desc->instructions[i].op;
    int heavy = (op >= PK_OP_EXP && op <= PK_OP_LOG1P) || (op >= PK_OP_TANH && op <= PK_OP_ERF) ||
                op == PK_OP_RANDOM_BITS || op == PK_OP_POW || op == PK_OP_REM;
    weight += heavy ? 8 : 1;
  }
  return weight;
}

static pk_status build(pk_plan *plan) {
  pk_tile_program *p = plan->program;
  pk_status status = pk_tile_check(plan->desc, plan->types);
  if (status != PK_OK) return status;
  pk_tile_merge(plan);
  status = plan_with_best_length(plan);
  if (status != PK_OK) return status;
  p->work = p->count * weigh(plan->desc) / 4;
  p->scalar_steps = plan->scalar_count;
  p->fixed_steps = plan->fixed_count;
  p->step_count = plan->step_count;
  size_t total = (size_t)(p->scalar_steps + p->fixed_steps + p->step_count);
  p->steps = malloc((total + 1) * sizeof *p->steps);
  if (!p->steps) return PK_MEMORY;
  pk_step *next = p->steps;
  memcpy(next, plan->scalar, (size_t)p->scalar_steps * sizeof *next);
  next += p->scalar_steps;
  memcpy(next, plan->fixed, (size_t)p->fixed_steps * sizeof *next);
  next += p->fixed_steps;
  memcpy(next, plan->steps, (size_t)p->step_count * sizeof *next);
  return PK_OK;
}

pk_tile_program *pk_tile_prepare(const pk_tile_desc *desc, pk_status *status) {
  pk_status found = PK_MEMORY;
  pk_plan *plan = calloc(1, sizeof *plan);
  pk_tile_program *program = calloc(1, sizeof *program);
  if (plan && program) {
    plan->desc = desc;
    plan->program = program;
    found = build(plan);
  }
  free(plan);
  if (found != PK_OK) {
    pk_tile_destroy(program);
    program = NULL;
  }
  if (status) *status = found;
  return program;
}

void pk_tile_destroy(pk_tile_program *program) {
  if (program) free(program->steps);
  free(program);
}

int64_t pk_tile_length(const pk_tile_program *program) { return program->tile_rows * program->chunk; }
