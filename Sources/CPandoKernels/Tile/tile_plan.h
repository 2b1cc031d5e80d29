// The state in which a description becomes a program.
#ifndef PK_TILE_PLAN_H
#define PK_TILE_PLAN_H

#include "tile.h"

// How a value varies over the iteration.
typedef enum pk_extent {
  PK_EXTENT_UNUSED,
  // One number.
  PK_EXTENT_SCALAR,
  // The same tile each time.
  PK_EXTENT_FIXED,
  PK_EXTENT_TILE,
} pk_extent;

typedef struct pk_plan {
  const pk_tile_desc *desc;
  pk_tile_program *program;
  // By value: instructions, then the tiles that repeat a single number.
  pk_dtype types[PK_TILE_MAX_VALUES];
  pk_extent extents[PK_TILE_MAX_VALUES];
  // Which value repeats a scalar instruction's number as a tile; -1 where none does.
  int32_t splats[PK_TILE_MAX_INSTRUCTIONS];
  // Strides over the merged shape of each iota instruction.
  int64_t iota[PK_TILE_MAX_INSTRUCTIONS][PK_MAX_RANK];
  pk_step scalar[PK_TILE_MAX_INSTRUCTIONS];
  pk_step fixed[PK_TILE_MAX_VALUES];
  pk_step steps[PK_TILE_MAX_VALUES];
  int32_t scalar_count, fixed_count, step_count;
} pk_plan;

int pk_operand_count(pk_tile_op op);

// Checks everything that does not depend on how tiles are cut; sets the type of each instruction's value.
pk_status pk_tile_check(const pk_tile_desc *desc, pk_dtype *types);

// Merges dimensions; sets the program's shape and strides, and the plan's iota strides.
void pk_tile_merge(pk_plan *plan);

// Cuts the iteration into tiles of at most `length` elements.
void pk_tile_cut(pk_tile_program *program, int64_t length);

// Orders the steps for the current cut. PK_INVALID where a seed is not the same everywhere.
pk_status pk_tile_order(pk_plan *plan);

// Gives each value a register; returns the bytes needed.
int64_t pk_tile_allocate(pk_plan *plan);

// Whether a tile of an operand is one run of memory.
int pk_tile_is_run(const pk_tile_program *program, int operand);

#endif
