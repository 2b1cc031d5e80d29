/// Tile programs: a chain of elementwise operations run in one sweep over memory.
///
/// A program is a list of instructions in static single assignment form: instruction `i` defines value `i`,
/// and its operands are the indices of earlier instructions. All values live over one iteration shape. The
/// program runs tile by tile: a few hundred elements pass through all instructions while they are in the
/// innermost cache, so memory is read once for each input and written once for each output whatever the
/// number of instructions. Values that are the same everywhere (constants, loads with all strides 0, and what
/// is computed from them) are computed once for each thread.
///
/// Values have a *register type*: float32, float64, int32, int64, int8, uint8 or bool. Memory may also hold
/// bfloat16 and float16, which load as float32; a store rounds float32 to nearest even. To round after each
/// operation, as arithmetic on bfloat16 does, follow it by `PK_OP_ROUND_BF16`.
#ifndef PK_TILE_H
#define PK_TILE_H

#include "pk_types.h"

/// Limits of a program, checked when it is prepared.
#define PK_TILE_MAX_INPUTS 64
#define PK_TILE_MAX_OUTPUTS 32
#define PK_TILE_MAX_INSTRUCTIONS 512

/// What an instruction does. `T` is the instruction's `type`; operands are `T` unless said otherwise.
typedef enum pk_tile_op {
  /// Input number `index`; `T` must be the input's type (float32 for bfloat16 and float16). No operands.
  PK_OP_LOAD,
  /// Writes operand `a` to output number `index`, whose type must be `T` (or bfloat16 or float16 where `T` is
  /// float32).
  PK_OP_STORE,
  /// The same number everywhere: `real` where `T` is floating point, otherwise `integer`. No operands.
  PK_OP_CONSTANT,
  /// The coordinate along dimension `index` of the iteration shape. Not for bool. No operands.
  PK_OP_IOTA,
  /// 32 random bits for each element, `T` int32 or (zero-extended) int64. Operand `a` is the seed, `b` the
  /// step, both int64 and the same everywhere; the stream, 0 to 2^32 - 1, is in `integer`.
  ///
  /// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
  /// Element number i, in row-major order of the iteration shape, is word i % 4 of block number i / 4, where
  ///     key     = {seed & 0xffffffff, seed >> 32}
  ///     counter = {block & 0xffffffff, block >> 32, stream, step & 0xffffffff}
  /// One round maps counter {c0, c1, c2, c3} under key {k0, k1}, with p = 0xD2511F53 * c0 and
  /// q = 0xCD9E8D57 * c2 in 64 bits, to
  ///     {high(q) ^ c1 ^ k0, low(q), high(p) ^ c3 ^ k1, low(p)}
  /// and after each of the ten rounds but the last the key grows by {0x9E3779B9, 0xBB67AE85} modulo 2^32.
  PK_OP_RANDOM_BITS,

  /// Of numbers: -a, |a|, the sign (-1, 0, 1; NaN stays).
  PK_OP_NEG,
  PK_OP_ABS,
  PK_OP_SIGN,
  /// Of float32 and float64. Float32: within 2 units in the last place for exp, log and their companions;
  /// relative error below 1e-6 for tanh and logistic; absolute below 1e-6 for erf, sin and cos.
  PK_OP_EXP,
  PK_OP_EXPM1,
  PK_OP_LOG,
  PK_OP_LOG1P,
  PK_OP_SQRT,
  PK_OP_RSQRT,
  PK_OP_TANH,
  PK_OP_LOGISTIC,
  PK_OP_SIN,
  PK_OP_COS,
  PK_OP_ERF,
  PK_OP_FLOOR,
  PK_OP_CEIL,
  PK_OP_ROUND_EVEN,
  /// Of whole numbers: all bits; of bool: the truth value.
  PK_OP_NOT,
  /// Whether `a` (float32 or float64, named by `T`) is neither infinite nor NaN; the value is bool.
  PK_OP_IS_FINITE,
  /// Rounds a float32 to the nearest bfloat16 or float16, ties to even; the value stays float32.
  PK_OP_ROUND_BF16,
  PK_OP_ROUND_F16,

  /// Of numbers; `MUL`, `MAX`, `ADD` and `MIN` of bool are and, or, or, and. Whole numbers wrap; x / 0 is -1
  /// (all bits set); x rem 0 is x. `REM` has the dividend's sign. `MAX` and `MIN` are NaN where an operand
  /// is. Whole powers with negative exponents are 0 unless the base is 1 or -1.
  PK_OP_ADD,
  PK_OP_SUB,
  PK_OP_MUL,
  PK_OP_DIV,
  PK_OP_MAX,
  PK_OP_MIN,
  PK_OP_POW,
  PK_OP_REM,
  /// Of whole numbers and bool.
  PK_OP_AND,
  PK_OP_OR,
  PK_OP_XOR,
  /// Of whole numbers; shifting by the width or more (or by a negative amount) gives 0.
  PK_OP_SHL,
  PK_OP_SHR_LOGICAL,
  /// Compares `a` with `b`, both of type `T`; the value is bool.
  PK_OP_EQ,
  PK_OP_NE,
  PK_OP_LT,
  PK_OP_LE,
  PK_OP_GT,
  PK_OP_GE,
  /// Operand `b` where the bool `a` is true, otherwise operand `c`.
  PK_OP_SELECT,
  /// Operand `a`, of any register type, as `T`: floats to whole numbers drop the fraction and saturate, NaN
  /// becomes 0; wider whole numbers wrap; anything but 0 becomes true.
  PK_OP_CONVERT,
  PK_OP_COUNT_,
} pk_tile_op;

/// One step of a program.
typedef struct pk_tile_instruction {
  pk_tile_op op;
  /// The register type, as the operation says.
  pk_dtype type;
  /// Indices of the instructions that define the operands; what an operation has no use for is ignored.
  int32_t a, b, c;
  /// Input, output or dimension number.
  int32_t index;
  /// The value of a floating-point constant.
  double real;
  /// The value of another constant; the stream of random bits.
  int64_t integer;
} pk_tile_instruction;

/// A program as the caller describes it; nothing of it is kept after `pk_tile_prepare` returns.
typedef struct pk_tile_desc {
  /// Number of dimensions of the iteration shape, 0 to `PK_MAX_RANK`. Dimensions are merged where strides
  /// allow it.
  int32_t rank;
  /// Their sizes, outermost first.
  const int64_t *shape;
  int32_t input_count, output_count;
  /// Types in memory: inputs, then outputs.
  const pk_dtype *dtypes;
  /// `rank` strides for each input, then for each output, in elements; 0 repeats an input, negative goes
  /// backwards.
  const int64_t *strides;
  int32_t instruction_count;
  const pk_tile_instruction *instructions;
} pk_tile_desc;

/// A program that is ready to run: immutable, and safe to run from several threads at once.
typedef struct pk_tile_program pk_tile_program;

/// Checks and compiles a program.
///
/// Allocates; free with `pk_tile_destroy`. Returns null and sets `*status` (which may be null) where the
/// description is wrong (`PK_INVALID`), an operation does not exist for its type (`PK_UNSUPPORTED`), a limit
/// is exceeded or too many values are alive at once (`PK_LIMIT`), or memory is short (`PK_MEMORY`).
pk_tile_program *pk_tile_prepare(const pk_tile_desc *desc, pk_status *status);

/// Runs a program; allocates nothing.
///
/// `pointers` holds the address of element 0 of each input, then of each output. An output may be the same
/// memory as an input that has the same element size and strides.
void pk_tile_run(const pk_tile_program *program, void *const *pointers, int threads);

/// Frees a program; null is allowed.
void pk_tile_destroy(pk_tile_program *program);

/// How many elements one tile holds: for tests and reports.
int64_t pk_tile_length(const pk_tile_program *program);

/// The random bits of `PK_OP_RANDOM_BITS` for the box at `starts` of an array of shape `whole`, by whose order
/// elements are numbered. `dst` is dense.
pk_status pk_random_box(int32_t *dst, const int64_t *box, const int64_t *whole, const int64_t *starts,
                        int rank, uint64_t seed, uint64_t step, uint32_t stream, int threads);

#endif
