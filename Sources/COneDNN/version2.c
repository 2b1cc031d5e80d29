// oneDNN 2.
#include "version.h"

#if DNNL_VERSION_MAJOR < 3

#include <string.h>

#include "primitive.h"

void pdnn_pool_free(pdnn_pool *pool) { pool->count = 0; }

// A place in the pool, all zeros.
static dnnl_memory_desc_t *place(pdnn_pool *pool) {
  if (pool->count == PDNN_POOL_SIZE) return NULL;
  dnnl_memory_desc_t *item = &pool->items[pool->count++];
  memset(item, 0, sizeof *item);
  return item;
}

dnnl_status_t pdnn_desc_by_tag(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                               dnnl_data_type_t type, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t *item = place(pool);
  *out = item;
  return item ? dnnl_memory_desc_init_by_tag(item, rank, shape, type, tag) : dnnl_out_of_memory;
}

dnnl_status_t pdnn_desc_by_strides(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                                   dnnl_data_type_t type, const dnnl_dims_t strides) {
  dnnl_memory_desc_t *item = place(pool);
  *out = item;
  return item ? dnnl_memory_desc_init_by_strides(item, rank, shape, type, strides) : dnnl_out_of_memory;
}

dnnl_status_t pdnn_desc_of(pdnn_pool *pool, pdnn_desc *out, const_dnnl_primitive_desc_t from, dnnl_query_t query,
                           int index) {
  const dnnl_memory_desc_t *found = dnnl_primitive_desc_query_md(from, query, index);
  dnnl_memory_desc_t *item = place(pool);
  *out = item;
  if (!found) return dnnl_invalid_arguments;
  if (!item) return dnnl_out_of_memory;
  *item = *found;
  return dnnl_success;
}

size_t pdnn_desc_bytes(pdnn_desc desc, unsigned char bytes[PDNN_DESC_BYTES]) {
  _Static_assert(sizeof *desc <= PDNN_DESC_BYTES, "a descriptor is larger than its bytes");
  memcpy(bytes, desc, sizeof *desc);
  return sizeof *desc;
}

dnnl_status_t pdnn_describe_matmul(dnnl_primitive_desc_t *out, pdnn_desc a, pdnn_desc w, pdnn_desc c,
                                   dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t desc;
  dnnl_status_t status = dnnl_matmul_desc_init(&desc, a, w, NULL, c);
  return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), NULL) : status;
}

dnnl_status_t pdnn_describe_forward(dnnl_primitive_desc_t *out, dnnl_prop_kind_t purpose, dnnl_alg_kind_t algorithm,
                                    pdnn_desc x, pdnn_desc w, pdnn_desc bias, pdnn_desc y, const pdnn_window *window,
                                    dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status =
      dnnl_dilated_convolution_forward_desc_init(&desc, purpose, algorithm, x, w, bias, y, window->strides,
                                                 window->dilates, window->low, window->high);
  return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), NULL) : status;
}

dnnl_status_t pdnn_describe_backward_data(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc dx,
                                          pdnn_desc w, pdnn_desc dy, const pdnn_window *window,
                                          dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
      &desc, algorithm, dx, w, dy, window->strides, window->dilates, window->low, window->high);
  return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), hint) : status;
}

dnnl_status_t pdnn_describe_backward_weights(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc x,
                                             pdnn_desc dw, pdnn_desc dy, const pdnn_window *window,
                                             dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr) {
  dnnl_convolution_desc_t desc;
  dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
      &desc, algorithm, x, dw, NULL, dy, window->strides, window->dilates, window->low, window->high);
  return status == dnnl_success ? dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), hint) : status;
}

dnnl_status_t pdnn_append_sum(dnnl_post_ops_t list) { return dnnl_post_ops_append_sum(list, 1); }

dnnl_status_t pdnn_append_relu(dnnl_post_ops_t list) {
  return dnnl_post_ops_append_eltwise(list, 1, dnnl_eltwise_relu, 0, 0);
}

#endif
