// Tile programs: random instructions over random shapes and strides. A program that makes no sense must be
// refused.
#include "fuzz.h"

enum { INPUTS = 3, STEPS = 24 };

static const pk_dtype memory_types[] = {PK_F32, PK_F64, PK_BF16, PK_F16, PK_I32,
                                        PK_I64, PK_I8,  PK_U8,   PK_BOOL};

static pk_dtype register_of(pk_dtype t) { return t == PK_BF16 || t == PK_F16 ? PK_F32 : t; }

void fuzz_tile(void) {
  int32_t rank = (int32_t)fuzz_below(4);
  int64_t shape[4], strides[4 * (INPUTS + 1)] = {0}, count = 1;
  for (int d = 0; d < rank; d++) shape[d] = fuzz_size(rank < 2 ? 2000 : rank < 3 ? 257 : 33);
  for (int d = 0; d < rank; d++) count *= shape[d];
  pk_dtype dtypes[INPUTS + 1];
  pk_tile_instruction steps[STEPS + 1] = {0};
  void *memory[INPUTS];
  for (int i = 0; i < INPUTS; i++) {
    dtypes[i] = memory_types[fuzz_below(fuzz_below(2) ? 1 : 9)];
    // Some inputs are the same along some dimensions.
    int64_t size = 1;
    for (int d = rank - 1; d >= 0; d--) {
      if (fuzz_below(4) == 0) continue;
      strides[i * rank + d] = size, size *= shape[d];
    }
    memory[i] = fuzz_numbers(size, dtypes[i]);
    steps[i] = (pk_tile_instruction){.op = PK_OP_LOAD, .type = register_of(dtypes[i]), .index = i};
  }
  for (int s = INPUTS; s < STEPS; s++) {
    // Mostly operands of one type, so that most programs are good ones.
    pk_tile_instruction *step = steps + s;
    step->op = (pk_tile_op)(PK_OP_CONSTANT + fuzz_below(PK_OP_COUNT_ - PK_OP_CONSTANT));
    step->a = (int32_t)fuzz_below(s);
    step->type = fuzz_below(20) ? steps[step->a].type : (pk_dtype)fuzz_below(PK_DTYPE_COUNT);
    for (int tries = 0; tries < 8; tries++) {
      step->b = (int32_t)fuzz_below(s);
      if (steps[step->b].type == step->type) break;
    }
    step->c = step->b;
    step->index = rank > 0 ? (int32_t)fuzz_below(rank) : 0;
    step->real = 0.5;
    step->integer = 3;
    // One that is refused on its own gives way to a conversion, which always makes sense.
    pk_status status = PK_OK;
    pk_tile_desc part = {rank, shape, INPUTS, 0, dtypes, strides, s + 1, steps};
    pk_tile_program *program = pk_tile_prepare(&part, &status);
    if (!program) *step = (pk_tile_instruction){.op = PK_OP_CONVERT, .type = PK_F32, .a = step->a};
    pk_tile_destroy(program);
  }
  dtypes[INPUTS] = PK_F32;
  for (int64_t d = rank - 1, size = 1; d >= 0; d--) strides[INPUTS * rank + d] = size, size *= shape[d];
  int32_t last = STEPS - 1;
  steps[last] = (pk_tile_instruction){.op = PK_OP_CONVERT, .type = PK_F32, .a = last - 1};
  steps[STEPS] = (pk_tile_instruction){.op = PK_OP_STORE, .type = PK_F32, .a = last};
  pk_tile_desc desc = {rank, shape, INPUTS, 1, dtypes, strides, STEPS + 1, steps};
  pk_status status = PK_OK;
  pk_tile_program *program = pk_tile_prepare(&desc, &status);
  if (!program) return;
  float *out[2];
  for (int i = 0; i < 2; i++) {
    out[i] = fuzz_memory(count, 4);
    void *pointers[] = {memory[0], memory[1], memory[2], out[i]};
    pk_tile_run(program, pointers, FUZZ_THREADS(i));
  }
  fuzz_same("tile program", out[0], out[1], count, 4);
  pk_tile_destroy(program);
}
