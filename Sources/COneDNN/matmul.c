#include <stdlib.h>

#include "primitive.h"

static dnnl_status_t describe(dnnl_memory_desc_t *desc, int rank, const int64_t *shape, const int64_t *strides,
                              pdnn_dtype type) {
  return dnnl_memory_desc_init_by_strides(desc, rank, shape, pdnn_type(type), strides);
}

pdnn_primitive *pdnn_matmul_create(int rank, const int64_t *a_shape, const int64_t *a_strides, pdnn_dtype a_type,
                                   const int64_t *w_shape, const int64_t *w_strides, pdnn_dtype w_type,
                                   const int64_t *c_shape, const int64_t *c_strides, pdnn_dtype c_type) {
  dnnl_memory_desc_t a, w, c;
  dnnl_matmul_desc_t matmul;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  pdnn_primitive *primitive = NULL;
  dnnl_status_t status = dnnl_success;
  if (rank < 2 || rank > PDNN_MAX_RANK) status = dnnl_invalid_arguments;
  if (status == dnnl_success) status = describe(&a, rank, a_shape, a_strides, a_type);
  if (status == dnnl_success) status = describe(&w, rank, w_shape, w_strides, w_type);
  if (status == dnnl_success) status = describe(&c, rank, c_shape, c_strides, c_type);
  if (status == dnnl_success) status = dnnl_matmul_desc_init(&matmul, &a, &w, NULL, &c);
  if (status == dnnl_success) status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success) {
    status = dnnl_primitive_desc_create(&descriptor, &matmul, attr, pdnn_engine(), NULL);
  }
  if (attr) dnnl_primitive_attr_destroy(attr);
  if (status == dnnl_success) {
    primitive = calloc(1, sizeof *primitive);
    if (!primitive) {
      dnnl_primitive_desc_destroy(descriptor);
      status = dnnl_out_of_memory;
    }
  }
  if (status == dnnl_success) status = pdnn_add_stage(primitive, descriptor);
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_SRC, PDNN_INPUT, 0, &a);
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_WEIGHTS, PDNN_INPUT, 1, &w);
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_DST, PDNN_OUTPUT, 0, &c);
  if (status != dnnl_success) {
    pdnn_failed(status, "matmul");
    pdnn_destroy(primitive);
    return NULL;
  }
  return primitive;
}
