#include "primitive.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl_debug.h>

extern void omp_set_num_threads(int threads);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static dnnl_stream_t stream;
static _Thread_local char last_error[256];

static void start(void) {
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
  if (engine && dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) stream = NULL;
  // Primitives live as long as their programs; a cache beside them would only hold memory.
  dnnl_set_primitive_cache_capacity(0);
}

dnnl_engine_t pdnn_engine(void) {
  pthread_once(&once, start);
  return engine;
}

dnnl_stream_t pdnn_stream(void) {
  pthread_once(&once, start);
  return stream;
}

const char *pdnn_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

#define TEXT(x) #x
#define DOTTED(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *pdnn_compiled_version(void) {
  return DOTTED(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
}

int pdnn_limit_isa(pdnn_isa isa) {
  return (int)dnnl_set_max_cpu_isa(isa == PDNN_ISA_AVX2 ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41);
}

int pdnn_has_bf16(void) {
  // The sets are bits, each with those of the sets that it contains.
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

const char *pdnn_isa_name(void) {
  const char *name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa()), prefix[] = "cpu_isa_";
  return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : name;
}

const char *pdnn_last_error(void) { return last_error; }

void pdnn_set_threads(int threads) { omp_set_num_threads(threads < 1 ? 1 : threads); }

dnnl_status_t pdnn_failed(dnnl_status_t status, const char *what) {
  const char *why = status == dnnl_unimplemented       ? "not implemented for these types and shapes"
                    : status == dnnl_invalid_arguments ? "invalid arguments"
                    : status == dnnl_out_of_memory     ? "out of memory"
                                                       : "failed";
  snprintf(last_error, sizeof last_error, "%s: %s (status %d)", what, why, (int)status);
  return status;
}

dnnl_data_type_t pdnn_type(pdnn_dtype type) {
  switch (type) {
    case PDNN_F32: return dnnl_f32;
    case PDNN_BF16: return dnnl_bf16;
    case PDNN_F16: return dnnl_f16;
    case PDNN_S32: return dnnl_s32;
  }
  return dnnl_data_type_undef;
}

size_t pdnn_reserve(pdnn_primitive *primitive, size_t bytes) {
  size_t place = primitive->scratch_bytes;
  primitive->scratch_bytes += (bytes + 63) / 64 * 64;
  return place;
}

dnnl_status_t pdnn_add_arg(pdnn_primitive *primitive, int name, pdnn_place place, size_t where,
                           pdnn_desc desc) {
  pdnn_stage *stage = &primitive->stages[primitive->stage_count - 1];
  if (stage->arg_count == PDNN_MAX_ARGS) return pdnn_failed(dnnl_runtime_error, "too many arguments");
  pdnn_arg *arg = &stage->args[stage->arg_count];
  dnnl_status_t status = dnnl_memory_create(&arg->memory, desc, pdnn_engine(), DNNL_MEMORY_NONE);
  if (status != dnnl_success) return pdnn_failed(status, "memory");
  arg->name = name;
  arg->place = place;
  arg->where = where;
  stage->arg_count++;
  return dnnl_success;
}

dnnl_status_t pdnn_user_scratchpad(dnnl_primitive_attr_t *attr) {
  dnnl_status_t status = dnnl_primitive_attr_create(attr);
  if (status != dnnl_success) return pdnn_failed(status, "attributes");
  return dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
}

dnnl_status_t pdnn_add_stage(pdnn_primitive *primitive, dnnl_primitive_desc_t descriptor) {
  if (primitive->stage_count == PDNN_MAX_STAGES) return pdnn_failed(dnnl_runtime_error, "too many stages");
  pdnn_stage *stage = &primitive->stages[primitive->stage_count];
  dnnl_status_t status = dnnl_primitive_create(&stage->primitive, descriptor);
  if (status == dnnl_success) {
    primitive->stage_count++;
    pdnn_desc pad = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    size_t bytes = pad ? dnnl_memory_desc_get_size(pad) : 0;
    if (bytes > 0) {
      status = pdnn_add_arg(primitive, DNNL_ARG_SCRATCHPAD, PDNN_SCRATCH, pdnn_reserve(primitive, bytes), pad);
    }
  }
  dnnl_primitive_desc_destroy(descriptor);
  return status == dnnl_success ? status : pdnn_failed(status, "primitive");
}

size_t pdnn_scratch_bytes(const pdnn_primitive *primitive) { return primitive->scratch_bytes; }

int pdnn_execute(pdnn_primitive *primitive, void *const *inputs, void *const *outputs, void *scratch) {
  for (int s = 0; s < primitive->stage_count; s++) {
    pdnn_stage *stage = &primitive->stages[s];
    dnnl_exec_arg_t args[PDNN_MAX_ARGS];
    for (int a = 0; a < stage->arg_count; a++) {
      pdnn_arg *arg = &stage->args[a];
      void *pointer = arg->place == PDNN_INPUT    ? inputs[arg->where]
                      : arg->place == PDNN_OUTPUT ? outputs[arg->where]
                                                  : (char *)scratch + arg->where;
      dnnl_memory_set_data_handle(arg->memory, pointer);
      args[a].arg = arg->name;
      args[a].memory = arg->memory;
    }
    dnnl_status_t status = dnnl_primitive_execute(stage->primitive, pdnn_stream(), stage->arg_count, args);
    if (status != dnnl_success) return (int)pdnn_failed(status, "execution");
  }
  return 0;
}

void pdnn_destroy(pdnn_primitive *primitive) {
  if (!primitive) return;
  for (int s = 0; s < primitive->stage_count; s++) {
    pdnn_stage *stage = &primitive->stages[s];
    for (int a = 0; a < stage->arg_count; a++) dnnl_memory_destroy(stage->args[a].memory);
    if (stage->primitive) dnnl_primitive_destroy(stage->primitive);
  }
  free(primitive);
}
