// What the parts of tile programs share: how a step is executed, and the tables of step functions.
#ifndef PK_TILE_INTERNAL_H
#define PK_TILE_INTERNAL_H

#include "pk_tile.h"

typedef struct pk_step pk_step;

// Computes `n` elements of `d`. Operands and result may be the same memory, element for element.
typedef void (*pk_tile_fn)(void *d, const void *a, const void *b, const void *c, int64_t n,
                           const pk_step *step);

// Copies `rows` rows of `inner` elements between memory and a register, which is dense. The strides are the
// memory's.
typedef void (*pk_transfer_fn)(void *d, const void *s, int64_t inner, int64_t stride, int64_t rows,
                               int64_t row_stride);

typedef enum pk_step_kind {
  PK_STEP_COMPUTE,
  PK_STEP_LOAD,
  PK_STEP_STORE,
  PK_STEP_IOTA,
  PK_STEP_RANDOM
} pk_step_kind;

// An executable step. Values are numbered as the instructions are; the run keeps one address for each.
struct pk_step {
  pk_step_kind kind;
  int32_t d, a, b, c;
  // Loads and stores: which pointer (inputs, then outputs).
  int32_t operand;
  // Bytes of one element of the register that is transferred, and whether random bits are int64.
  int32_t size, wide;
  pk_tile_fn fn;
  pk_transfer_fn transfer;
  // Immediates of constants and random bits.
  double real;
  int64_t integer;
  // Strides over the merged shape of iota's dimension.
  int64_t strides[PK_MAX_RANK];
};

// Which operands of a binary step are single numbers rather than tiles.
typedef enum pk_form { PK_FORM_TILES, PK_FORM_RIGHT_SCALAR, PK_FORM_LEFT_SCALAR } pk_form;

// Each returns null where the operation does not exist for the type (or form).
pk_tile_fn pk_unary_function(pk_tile_op op, pk_dtype type);
pk_tile_fn pk_binary_function(pk_tile_op op, pk_dtype type, pk_form form);
pk_tile_fn pk_integer_function(pk_tile_op op, pk_dtype type);
pk_tile_fn pk_compare_function(pk_tile_op op, pk_dtype type, pk_form form);
pk_tile_fn pk_select_function(pk_dtype type, pk_form form);
pk_tile_fn pk_convert_function(pk_dtype from, pk_dtype to);
pk_tile_fn pk_constant_function(pk_dtype type);
// Repeats the first element of `a`.
pk_tile_fn pk_splat_function(pk_dtype type);
pk_transfer_fn pk_load_function(pk_dtype storage);
pk_transfer_fn pk_store_function(pk_dtype storage);
// Fills with `first + row * row_stride + column * stride`, where `first` is passed as the source pointer's
// value.
pk_transfer_fn pk_iota_function(pk_dtype type);

// Philox words number `first ..< first + n`.
void pk_random_tile(void *d, int wide, uint64_t first, int64_t n, uint64_t seed, uint64_t step,
                    uint32_t stream);

#define PK_STEP_PARAMETERS                                                                                   \
  void *dv, const void *av, const void *bv, const void *cv, int64_t n, const pk_step *step
#define PK_STEP_ARGUMENTS dv, av, bv, cv, n, step

// The register type in which elements of a storage type are computed.
static inline pk_dtype pk_register_type(pk_dtype storage) {
  return storage == PK_BF16 || storage == PK_F16 ? PK_F32 : storage;
}

// Operands that are sized and typed by a program: the largest that a program may hold.
#define PK_TILE_MAX_OPERANDS (PK_TILE_MAX_INPUTS + PK_TILE_MAX_OUTPUTS)
// Values are instructions and, behind them, the tiles that repeat a single number.
#define PK_TILE_MAX_VALUES (2 * PK_TILE_MAX_INSTRUCTIONS)
// Bytes of registers on a thread's stack at most, and what is aimed at so that they share the innermost cache
// with the streams of inputs and outputs.
#define PK_TILE_SCRATCH (128 * 1024)
#define PK_TILE_CACHE (24 * 1024)

struct pk_tile_program {
  // The merged iteration shape, at least one dimension.
  int32_t rank;
  int64_t shape[PK_MAX_RANK];
  int64_t count;
  // Rows (all dimensions but the last) and how tiles cut them: `tile_rows` whole rows, or one row into
  // `chunks`.
  int64_t rows, inner, tile_rows, chunks, chunk;
  int64_t tiles;
  int32_t operand_count;
  pk_dtype dtypes[PK_TILE_MAX_OPERANDS];
  int64_t strides[PK_TILE_MAX_OPERANDS][PK_MAX_RANK];
  // Whether an operand's elements lie in the iteration's order without gaps.
  uint8_t dense[PK_TILE_MAX_OPERANDS];
  int32_t value_count;
  // Where a value's register lies in the scratch memory; -1 where a tile's address is the operand's own
  // memory.
  int32_t offsets[PK_TILE_MAX_VALUES];
  // Values that are read or written in place: which value, which operand.
  int32_t direct_count;
  int16_t direct_value[PK_TILE_MAX_OPERANDS], direct_operand[PK_TILE_MAX_OPERANDS];
  // Steps in order: single numbers, then tiles that never change, then what runs for each tile.
  int32_t scalar_steps, fixed_steps, step_count;
  int64_t work;
  pk_step *steps;
};

#endif
