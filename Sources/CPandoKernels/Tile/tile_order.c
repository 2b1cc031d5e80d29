// Which steps run once and which for each tile, in what order, and in which registers.
#include "../Support/simd.h"
#include "tile_plan.h"

// Values that some store needs.
static void mark_used(pk_plan *plan) {
  const pk_tile_desc *desc = plan->desc;
  for (int i = 0; i < PK_TILE_MAX_VALUES; i++) plan->extents[i] = PK_EXTENT_UNUSED;
  for (int i = desc->instruction_count - 1; i >= 0; i--) {
    const pk_tile_instruction *x = &desc->instructions[i];
    if (x->op == PK_OP_STORE) plan->extents[i] = PK_EXTENT_TILE;
    if (plan->extents[i] == PK_EXTENT_UNUSED) continue;
    const int32_t operands[3] = {x->a, x->b, x->c};
    for (int k = 0; k < pk_operand_count(x->op); k++) plan->extents[operands[k]] = PK_EXTENT_TILE;
  }
}

// How memory with these strides varies. A tile of whole rows repeats where only the last dimension has a
// stride.
static pk_extent extent_of_strides(const pk_tile_program *p, const int64_t *strides) {
  int inner = p->rank - 1, outer_zero = 1;
  for (int d = 0; d < inner; d++) outer_zero &= strides[d] == 0;
  if (outer_zero && strides[inner] == 0) return PK_EXTENT_SCALAR;
  return outer_zero && p->tile_rows > 1 ? PK_EXTENT_FIXED : PK_EXTENT_TILE;
}

static void classify(pk_plan *plan) {
  const pk_tile_desc *desc = plan->desc;
  for (int i = 0; i < desc->instruction_count; i++) {
    if (plan->extents[i] == PK_EXTENT_UNUSED) continue;
    const pk_tile_instruction *x = &desc->instructions[i];
    pk_extent extent = PK_EXTENT_SCALAR;
    const int32_t operands[3] = {x->a, x->b, x->c};
    for (int k = 0; k < pk_operand_count(x->op); k++) {
      pk_extent operand = plan->extents[operands[k]];
      extent = operand > extent ? operand : extent;
    }
    if (x->op == PK_OP_LOAD) extent = extent_of_strides(plan->program, plan->program->strides[x->index]);
    if (x->op == PK_OP_IOTA) extent = extent_of_strides(plan->program, plan->iota[i]);
    if (x->op == PK_OP_STORE || x->op == PK_OP_RANDOM_BITS) extent = PK_EXTENT_TILE;
    plan->extents[i] = extent;
  }
}

// The tile that repeats scalar value `value`.
static int32_t splat(pk_plan *plan, int32_t value) {
  if (plan->splats[value] >= 0) return plan->splats[value];
  int32_t tile = plan->program->value_count++;
  plan->splats[value] = tile;
  plan->types[tile] = plan->types[value];
  plan->extents[tile] = PK_EXTENT_FIXED;
  plan->fixed[plan->fixed_count++] = (pk_step){.kind = PK_STEP_COMPUTE,
                                               .d = tile,
                                               .a = value,
                                               .b = -1,
                                               .c = -1,
                                               .fn = pk_splat_function(plan->types[value])};
  return tile;
}

// The function for the forms that the operands have; scalars that it cannot take become tiles.
static void choose_function(pk_plan *plan, const pk_tile_instruction *x, pk_extent extent, pk_step *step) {
  int count = pk_operand_count(x->op);
  int scalar[3] = {0, 0, 0};
  int32_t *operands[3] = {&step->a, &step->b, &step->c};
  if (extent != PK_EXTENT_SCALAR) {
    for (int k = 0; k < count; k++) scalar[k] = plan->extents[*operands[k]] == PK_EXTENT_SCALAR;
  }
  step->fn = NULL;
  if (x->op == PK_OP_SELECT) {
    if (scalar[2]) step->fn = pk_select_function(x->type, PK_FORM_RIGHT_SCALAR);
    if (step->fn) scalar[2] = 0;
    else step->fn = pk_select_function(x->type, PK_FORM_TILES);
  } else if (x->op == PK_OP_CONVERT) {
    step->fn = pk_convert_function(plan->types[x->a], x->type);
  } else if (count == 1) {
    step->fn = pk_unary_function(x->op, x->type);
  } else {
    int compares = x->op >= PK_OP_EQ && x->op <= PK_OP_GE;
    if (scalar[0] != scalar[1]) {
      pk_form form = scalar[0] ? PK_FORM_LEFT_SCALAR : PK_FORM_RIGHT_SCALAR;
      step->fn =
          compares ? pk_compare_function(x->op, x->type, form) : pk_binary_function(x->op, x->type, form);
    }
    if (step->fn) scalar[0] = scalar[1] = 0;
    else
      step->fn = compares ? pk_compare_function(x->op, x->type, PK_FORM_TILES)
                          : pk_binary_function(x->op, x->type, PK_FORM_TILES);
  }
  for (int k = 0; k < count; k++) {
    if (scalar[k]) *operands[k] = splat(plan, *operands[k]);
  }
}

static pk_step make_step(pk_plan *plan, int32_t i) {
  const pk_tile_desc *desc = plan->desc;
  const pk_tile_instruction *x = &desc->instructions[i];
  int count = pk_operand_count(x->op);
  pk_step step = {.kind = PK_STEP_COMPUTE,
                  .d = i,
                  .a = count > 0 ? x->a : -1,
                  .b = count > 1 ? x->b : -1,
                  .c = count > 2 ? x->c : -1,
                  .operand = x->index,
                  .size = (int32_t)pk_size(x->type),
                  .wide = x->type == PK_I64,
                  .real = x->real,
                  .integer = x->integer};
  switch (x->op) {
    case PK_OP_LOAD:
      step.kind = PK_STEP_LOAD;
      step.transfer = pk_load_function(desc->dtypes[x->index]);
      break;
    case PK_OP_STORE:
      step.kind = PK_STEP_STORE;
      step.operand = desc->input_count + x->index;
      step.transfer = pk_store_function(desc->dtypes[step.operand]);
      if (plan->extents[step.a] == PK_EXTENT_SCALAR) step.a = splat(plan, step.a);
      break;
    case PK_OP_IOTA:
      step.kind = PK_STEP_IOTA;
      step.transfer = pk_iota_function(x->type);
      memcpy(step.strides, plan->iota[i], sizeof step.strides);
      break;
    case PK_OP_RANDOM_BITS: step.kind = PK_STEP_RANDOM; break;
    case PK_OP_CONSTANT: step.fn = pk_constant_function(x->type); break;
    default: choose_function(plan, x, plan->extents[i], &step);
  }
  return step;
}

static void make_direct(pk_tile_program *p, int32_t value, int32_t operand) {
  p->direct_value[p->direct_count] = (int16_t)value;
  p->direct_operand[p->direct_count++] = (int16_t)operand;
  p->offsets[value] = -1;
}

// Appends a step, its operands' loads first: a load just before its first use keeps few registers alive. A
// load whose tile is one run of memory of the register's own type is no step at all: the value's address is
// the memory itself.
static void append(pk_plan *plan, pk_step step, uint8_t *loaded) {
  const int32_t operands[3] = {step.a, step.b, step.c};
  for (int k = 0; k < 3; k++) {
    int32_t value = operands[k];
    if (value < 0 || value >= plan->desc->instruction_count || loaded[value]) continue;
    const pk_tile_instruction *x = &plan->desc->instructions[value];
    if (x->op != PK_OP_LOAD || plan->extents[value] != PK_EXTENT_TILE) continue;
    loaded[value] = 1;
    if (plan->desc->dtypes[x->index] == x->type && pk_tile_is_run(plan->program, x->index) &&
        plan->program->direct_count < PK_TILE_MAX_OPERANDS) {
      make_direct(plan->program, value, x->index);
    } else {
      plan->steps[plan->step_count++] = make_step(plan, value);
    }
  }
  plan->steps[plan->step_count++] = step;
}

static int reads_memory(const pk_plan *plan, const pk_step *step) {
  if (step->kind == PK_STEP_LOAD) return 1;
  const int32_t operands[3] = {step->a, step->b, step->c};
  for (int k = 0; k < 3; k++) {
    if (operands[k] >= 0 && plan->program->offsets[operands[k]] == -1) return 1;
  }
  return 0;
}

// Inserts the stores. An output may be the same memory as an input, so nothing is written before the last
// step that reads memory. What is computed at that step or later may be written in place, without a register.
static void append_stores(pk_plan *plan) {
  pk_tile_program *p = plan->program;
  int32_t last = -1;
  for (int32_t s = 0; s < plan->step_count; s++) {
    if (reads_memory(plan, &plan->steps[s])) last = s;
  }
  int32_t producer[PK_TILE_MAX_VALUES];
  for (int i = 0; i < PK_TILE_MAX_VALUES; i++) producer[i] = -1;
  for (int32_t s = 0; s < plan->step_count; s++) producer[plan->steps[s].d] = s;
  for (int32_t i = 0; i < plan->desc->instruction_count; i++) {
    const pk_tile_instruction *x = &plan->desc->instructions[i];
    if (x->op != PK_OP_STORE) continue;
    pk_step store = make_step(plan, i);
    int32_t made = producer[store.a];
    // A value that is loaded in place and copied out: its store is itself the last to read memory.
    int in_memory = p->offsets[store.a] == -1;
    if (made >= last && made >= 0 && !in_memory && plan->extents[store.a] == PK_EXTENT_TILE &&
        p->dtypes[store.operand] == x->type && pk_tile_is_run(p, store.operand) &&
        p->direct_count < PK_TILE_MAX_OPERANDS) {
      make_direct(p, store.a, store.operand);
    } else {
      plan->steps[plan->step_count++] = store;
    }
  }
}

pk_status pk_tile_order(pk_plan *plan) {
  const pk_tile_desc *desc = plan->desc;
  pk_tile_program *p = plan->program;
  plan->scalar_count = plan->fixed_count = plan->step_count = 0;
  p->direct_count = 0;
  p->value_count = desc->instruction_count;
  for (int i = 0; i < PK_TILE_MAX_INSTRUCTIONS; i++) plan->splats[i] = -1;
  for (int i = 0; i < PK_TILE_MAX_VALUES; i++) p->offsets[i] = 0;
  uint8_t loaded[PK_TILE_MAX_INSTRUCTIONS] = {0};
  mark_used(plan);
  classify(plan);
  for (int32_t i = 0; i < desc->instruction_count; i++) {
    pk_tile_op op = desc->instructions[i].op;
    if (plan->extents[i] == PK_EXTENT_UNUSED || op == PK_OP_STORE) continue;
    if (op == PK_OP_RANDOM_BITS) {
      const pk_tile_instruction *x = &desc->instructions[i];
      if (plan->extents[x->a] != PK_EXTENT_SCALAR || plan->extents[x->b] != PK_EXTENT_SCALAR)
        return PK_INVALID;
    }
    if (plan->extents[i] == PK_EXTENT_SCALAR) {
      plan->scalar[plan->scalar_count++] = make_step(plan, i);
    } else if (plan->extents[i] == PK_EXTENT_FIXED) {
      pk_step step = make_step(plan, i);
      plan->fixed[plan->fixed_count++] = step;
    } else if (op != PK_OP_LOAD) {
      append(plan, make_step(plan, i), loaded);
    }
  }
  // Loads that are only stored again.
  for (int32_t i = 0; i < desc->instruction_count; i++) {
    const pk_tile_instruction *x = &desc->instructions[i];
    if (x->op != PK_OP_STORE) continue;
    pk_step nothing = {.kind = PK_STEP_COMPUTE, .d = -1, .a = x->a, .b = -1, .c = -1};
    append(plan, nothing, loaded);
    plan->step_count--;
  }
  append_stores(plan);
  return PK_OK;
}

// Registers of one element size that are free again.
typedef struct {
  int32_t offsets[PK_TILE_MAX_VALUES];
  int32_t count;
} free_list;

static int64_t register_bytes(const pk_tile_program *p, pk_dtype type) {
  return pk_ceil_div(p->tile_rows * p->chunk * (int64_t)pk_size(type), 64) * 64;
}

int64_t pk_tile_allocate(pk_plan *plan) {
  pk_tile_program *p = plan->program;
  int64_t top = 0;
  for (int32_t i = 0; i < plan->scalar_count; i++, top += 8) p->offsets[plan->scalar[i].d] = (int32_t)top;
  top = pk_ceil_div(top, 64) * 64;
  for (int32_t i = 0; i < plan->fixed_count; i++) {
    p->offsets[plan->fixed[i].d] = (int32_t)top;
    top += register_bytes(p, plan->types[plan->fixed[i].d]);
    if (top > PK_TILE_SCRATCH) return top;
  }
  int32_t last_use[PK_TILE_MAX_VALUES];
  for (int32_t i = 0; i < p->value_count; i++) last_use[i] = -1;
  for (int32_t s = 0; s < plan->step_count; s++) {
    const int32_t operands[3] = {plan->steps[s].a, plan->steps[s].b, plan->steps[s].c};
    for (int k = 0; k < 3; k++)
      if (operands[k] >= 0) last_use[operands[k]] = s;
  }
  free_list lists[4] = {0};
  for (int32_t s = 0; s < plan->step_count; s++) {
    const pk_step *step = &plan->steps[s];
    const int32_t operands[3] = {step->a, step->b, step->c};
    // Operands that end here are freed first: a result may lie over an operand of the same size.
    for (int k = 0; k < 3; k++) {
      int32_t value = operands[k];
      if (value < 0 || last_use[value] != s) continue;
      if (plan->extents[value] != PK_EXTENT_TILE || p->offsets[value] == -1) continue;
      last_use[value] = -1;
      free_list *list = &lists[__builtin_ctz((unsigned)pk_size(plan->types[value]))];
      list->offsets[list->count++] = p->offsets[value];
    }
    if (step->kind == PK_STEP_STORE || p->offsets[step->d] == -1) continue;
    free_list *list = &lists[__builtin_ctz((unsigned)pk_size(plan->types[step->d]))];
    if (list->count > 0) {
      p->offsets[step->d] = list->offsets[--list->count];
    } else {
      p->offsets[step->d] = (int32_t)top;
      top += register_bytes(p, plan->types[step->d]);
      if (top > PK_TILE_SCRATCH) return top;
    }
  }
  return top;
}
