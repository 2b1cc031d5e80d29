// What all primitives have in common.
#ifndef PDNN_PRIMITIVE_H
#define PDNN_PRIMITIVE_H

#include "version.h"

#define PDNN_MAX_STAGES 5
#define PDNN_MAX_ARGS 6

// Where a stage finds one of its arguments.
typedef enum pdnn_place { PDNN_INPUT, PDNN_OUTPUT, PDNN_SCRATCH } pdnn_place;

typedef struct pdnn_arg {
  int name;  // DNNL_ARG_…
  pdnn_place place;
  size_t where;  // number of the input or output, or bytes from the start of the workspace
  dnnl_memory_t memory;
} pdnn_arg;

// One oneDNN primitive. A convolution may be several: reorders around it.
typedef struct pdnn_stage {
  dnnl_primitive_t primitive;
  int arg_count;
  pdnn_arg args[PDNN_MAX_ARGS];
} pdnn_stage;

struct pdnn_primitive {
  int stage_count;
  pdnn_stage stages[PDNN_MAX_STAGES];
  size_t scratch_bytes;
};

// The engine and stream of this process; null where oneDNN cannot make them.
dnnl_engine_t pdnn_engine(void);
dnnl_stream_t pdnn_stream(void);

// Notes what failed; returns `status`.
dnnl_status_t pdnn_failed(dnnl_status_t status, const char *what);

dnnl_data_type_t pdnn_type(pdnn_dtype type);

// Workspace of `bytes`, from the primitive's own; its place.
size_t pdnn_reserve(pdnn_primitive *primitive, size_t bytes);

// Adds an argument to the last stage.
dnnl_status_t pdnn_add_arg(pdnn_primitive *primitive, int name, pdnn_place place, size_t where,
                           pdnn_desc desc);

// Adds a stage for `descriptor`, with its scratchpad, and destroys the descriptor.
dnnl_status_t pdnn_add_stage(pdnn_primitive *primitive, dnnl_primitive_desc_t descriptor);

// An attribute that takes the scratchpad from the user.
dnnl_status_t pdnn_user_scratchpad(dnnl_primitive_attr_t *attr);

#endif
