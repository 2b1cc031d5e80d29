#include <stdlib.h>

#include "primitive.h"

pdnn_primitive *pdnn_matmul_create(int rank, const int64_t *a_shape, const int64_t *a_strides, pdnn_dtype a_type,
                                   const int64_t *w_shape, const int64_t *w_strides, pdnn_dtype w_type,
                                   const int64_t *c_shape, const int64_t *c_strides, pdnn_dtype c_type) {
  pdnn_pool pool = {0};
  pdnn_desc a = NULL, w = NULL, c = NULL;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  pdnn_primitive *primitive = NULL;
  dnnl_status_t status = dnnl_success;
  if (rank < 2 || rank > PDNN_MAX_RANK) status = dnnl_invalid_arguments;
  if (status == dnnl_success) status = pdnn_desc_by_strides(&pool, &a, rank, a_shape, pdnn_type(a_type), a_strides);
  if (status == dnnl_success) status = pdnn_desc_by_strides(&pool, &w, rank, w_shape, pdnn_type(w_type), w_strides);
  if (status == dnnl_success) status = pdnn_desc_by_strides(&pool, &c, rank, c_shape, pdnn_type(c_type), c_strides);
  if (status == dnnl_success) status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success) {
    status = pdnn_describe_matmul(&descriptor, a, w, c, attr);
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
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_SRC, PDNN_INPUT, 0, a);
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_WEIGHTS, PDNN_INPUT, 1, w);
  if (status == dnnl_success) status = pdnn_add_arg(primitive, DNNL_ARG_DST, PDNN_OUTPUT, 0, c);
  pdnn_pool_free(&pool);
  if (status != dnnl_success) {
    pdnn_failed(status, "matmul");
    pdnn_destroy(primitive);
    return NULL;
  }
  return primitive;
}
