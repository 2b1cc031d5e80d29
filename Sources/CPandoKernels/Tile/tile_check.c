// Checks a description, and infers the register type of each value.
#include "tile_plan.h"

// How many operands an operation has; -1 where there is no such operation.
int pk_operand_count(pk_tile_op op) {
  if (op < 0 || op >= PK_OP_COUNT_) return -1;
  if (op == PK_OP_LOAD || op == PK_OP_CONSTANT || op == PK_OP_IOTA) return 0;
  if (op == PK_OP_RANDOM_BITS) return 2;
  if (op == PK_OP_STORE || op == PK_OP_CONVERT) return 1;
  if (op == PK_OP_SELECT) return 3;
  return op >= PK_OP_ADD ? 2 : 1;
}

static int is_register_type(pk_dtype type) { return pk_size(type) != 0 && type != PK_BF16 && type != PK_F16; }

static int is_comparison(pk_tile_op op) { return op >= PK_OP_EQ && op <= PK_OP_GE; }

static pk_status check_operands(const pk_tile_desc *desc) {
  if (desc->rank < 0 || desc->input_count < 0 || desc->output_count < 0 || desc->instruction_count < 0) {
    return PK_INVALID;
  }
  if (desc->rank > PK_MAX_RANK || desc->input_count > PK_TILE_MAX_INPUTS ||
      desc->output_count > PK_TILE_MAX_OUTPUTS || desc->instruction_count > PK_TILE_MAX_INSTRUCTIONS) {
    return PK_LIMIT;
  }
  int64_t count = 1;
  for (int i = 0; i < desc->rank; i++) {
    if (desc->shape[i] < 0) return PK_INVALID;
    int64_t size = desc->shape[i] > 0 ? desc->shape[i] : 1;
    if (__builtin_mul_overflow(count, size, &count)) return PK_LIMIT;
  }
  for (int i = 0; i < desc->input_count + desc->output_count; i++) {
    if (pk_size(desc->dtypes[i]) == 0) return PK_INVALID;
  }
  return PK_OK;
}

// Whether the instruction's operands have the types it asks for, and its function exists; sets the value's
// type.
static pk_status check_types(const pk_tile_desc *desc, const pk_tile_instruction *step, pk_dtype *types,
                             int index) {
  pk_dtype type = step->type;
  types[index] = type;
  switch (step->op) {
    case PK_OP_LOAD:
      if (step->index < 0 || step->index >= desc->input_count) return PK_INVALID;
      return pk_register_type(desc->dtypes[step->index]) == type ? PK_OK : PK_INVALID;
    case PK_OP_STORE:
      if (step->index < 0 || step->index >= desc->output_count) return PK_INVALID;
      if (types[step->a] != type) return PK_INVALID;
      return pk_register_type(desc->dtypes[desc->input_count + step->index]) == type ? PK_OK : PK_INVALID;
    case PK_OP_CONSTANT: return PK_OK;
    case PK_OP_IOTA:
      if (step->index < 0 || step->index >= desc->rank) return PK_INVALID;
      return pk_iota_function(type) ? PK_OK : PK_UNSUPPORTED;
    case PK_OP_RANDOM_BITS:
      if (types[step->a] != PK_I64 || types[step->b] != PK_I64) return PK_INVALID;
      if (step->integer < 0 || step->integer > UINT32_MAX) return PK_INVALID;
      return type == PK_I32 || type == PK_I64 ? PK_OK : PK_UNSUPPORTED;
    case PK_OP_SELECT:
      if (types[step->a] != PK_BOOL || types[step->b] != type || types[step->c] != type) return PK_INVALID;
      return PK_OK;
    case PK_OP_CONVERT: return pk_convert_function(types[step->a], type) ? PK_OK : PK_UNSUPPORTED;
    default: break;
  }
  if (types[step->a] != type) return PK_INVALID;
  if (pk_operand_count(step->op) == 1) {
    if (step->op == PK_OP_IS_FINITE) types[index] = PK_BOOL;
    return pk_unary_function(step->op, type) ? PK_OK : PK_UNSUPPORTED;
  }
  if (types[step->b] != type) return PK_INVALID;
  if (is_comparison(step->op)) {
    types[index] = PK_BOOL;
    return pk_compare_function(step->op, type, PK_FORM_TILES) ? PK_OK : PK_UNSUPPORTED;
  }
  return pk_binary_function(step->op, type, PK_FORM_TILES) ? PK_OK : PK_UNSUPPORTED;
}

pk_status pk_tile_check(const pk_tile_desc *desc, pk_dtype *types) {
  pk_status status = check_operands(desc);
  if (status != PK_OK) return status;
  for (int i = 0; i < desc->instruction_count; i++) {
    const pk_tile_instruction *step = &desc->instructions[i];
    int count = pk_operand_count(step->op);
    if (count < 0 || !is_register_type(step->type)) return PK_INVALID;
    const int32_t operands[3] = {step->a, step->b, step->c};
    for (int k = 0; k < count; k++) {
      if (operands[k] < 0 || operands[k] >= i) return PK_INVALID;
      if (desc->instructions[operands[k]].op == PK_OP_STORE) return PK_INVALID;
    }
    status = check_types(desc, step, types, i);
    if (status != PK_OK) return status;
  }
  return PK_OK;
}
