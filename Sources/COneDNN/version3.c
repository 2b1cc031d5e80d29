// oneDNN 3.
#include "version.h"

#if DNNL_VERSION_MAJOR >= 3

#include <string.h>

#include "primitive.h"

void pdnn_pool_free(pdnn_pool *pool) {
  while (pool->count > 0) dnnl_memory_desc_destroy(pool->items[--pool->count]);
}

// Takes a descriptor that has just been made into the pool.
static dnnl_status_t keep(pdnn_pool *pool, pdnn_desc *out, dnnl_memory_desc_t made, dnnl_status_t status) {
  *out = NULL;
  if (status != dnnl_success) return status;
  if (pool->count == PDNN_POOL_SIZE) {
    dnnl_memory_desc_destroy(made);
    return dnnl_out_of_memory;
  }
  *out = pool->items[pool->count++] = made;
  return dnnl_success;
}

dnnl_status_t pdnn_desc_by_tag(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                               dnnl_data_type_t type, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t made = NULL;
  dnnl_status_t status = dnnl_memory_desc_create_with_tag(&made, rank, shape, type, tag);
  return keep(pool, out, made, status);
}

dnnl_status_t pdnn_desc_by_strides(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                                   dnnl_data_type_t type, const dnnl_dims_t strides) {
  dnnl_memory_desc_t made = NULL;
  dnnl_status_t status = dnnl_memory_desc_create_with_strides(&made, rank, shape, type, strides);
  return keep(pool, out, made, status);
}

dnnl_status_t pdnn_desc_of(pdnn_pool *pool, pdnn_desc *out, const_dnnl_primitive_desc_t from, dnnl_query_t query,
                           int index) {
  dnnl_memory_desc_t made = NULL;
  const_dnnl_memory_desc_t found = dnnl_primitive_desc_query_md(from, query, index);
  dnnl_status_t status = found ? dnnl_memory_desc_clone(&made, found) : dnnl_invalid_arguments;
  return keep(pool, out, made, status);
}

// Appends numbers to the bytes.
static void append(unsigned char *bytes, size_t *count, const void *numbers, size_t size) {
  memcpy(bytes + *count, numbers, size);
  *count += size;
}

size_t pdnn_desc_bytes(pdnn_desc desc, unsigned char bytes[PDNN_DESC_BYTES]) {
  static const dnnl_query_t words[] = {dnnl_query_ndims_s32, dnnl_query_data_type, dnnl_query_format_kind,
                                       dnnl_query_inner_nblks_s32};
  static const dnnl_query_t lists[] = {dnnl_query_dims, dnnl_query_padded_dims, dnnl_query_padded_offsets,
                                       dnnl_query_strides, dnnl_query_inner_blks, dnnl_query_inner_idxs};
  size_t count = 0, size = dnnl_memory_desc_get_size(desc);
  int rank = 0, blocks = 0;
  append(bytes, &count, &size, sizeof size);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    int word = 0;
    if (dnnl_memory_desc_query(desc, words[i], &word) != dnnl_success) word = 0;
    if (words[i] == dnnl_query_ndims_s32) rank = word;
    if (words[i] == dnnl_query_inner_nblks_s32) blocks = word;
    append(bytes, &count, &word, sizeof word);
  }
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    const dnnl_dims_t *list = NULL;
    if (dnnl_memory_desc_query(desc, lists[i], &list) != dnnl_success || !list) continue;
    int length = lists[i] == dnnl_query_inner_blks || lists[i] == dnnl_query_inner_idxs ? blocks : rank;
    append(bytes, &count, *list, (size_t)length * sizeof **list);
  }
  return count;
}

dnnl_status_t pdnn_describe_matmul(dnnl_primitive_desc_t *out, pdnn_desc a, pdnn_desc w, pdnn_desc c,
                                   dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(out, pdnn_engine(), a, w, NULL, c, attr);
}

dnnl_status_t pdnn_describe_forward(dnnl_primitive_desc_t *out, dnnl_prop_kind_t purpose, dnnl_alg_kind_t algorithm,
                                    pdnn_desc x, pdnn_desc w, pdnn_desc bias, pdnn_desc y, const pdnn_window *window,
                                    dnnl_primitive_attr_t attr) {
  return dnnl_convolution_forward_primitive_desc_create(out, pdnn_engine(), purpose, algorithm, x, w, bias, y,
                                                        window->strides, window->dilates, window->low, window->high,
                                                        attr);
}

dnnl_status_t pdnn_describe_backward_data(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc dx,
                                          pdnn_desc w, pdnn_desc dy, const pdnn_window *window,
                                          dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr) {
  return dnnl_convolution_backward_data_primitive_desc_create(out, pdnn_engine(), algorithm, dx, w, dy,
                                                              window->strides, window->dilates, window->low,
                                                              window->high, hint, attr);
}

dnnl_status_t pdnn_describe_backward_weights(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc x,
                                             pdnn_desc dw, pdnn_desc dy, const pdnn_window *window,
                                             dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr) {
  return dnnl_convolution_backward_weights_primitive_desc_create(out, pdnn_engine(), algorithm, x, dw, NULL, dy,
                                                                 window->strides, window->dilates, window->low,
                                                                 window->high, hint, attr);
}

dnnl_status_t pdnn_append_sum(dnnl_post_ops_t list) {
  return dnnl_post_ops_append_sum(list, 1, 0, dnnl_data_type_undef);
}

dnnl_status_t pdnn_append_relu(dnnl_post_ops_t list) {
  return dnnl_post_ops_append_eltwise(list, dnnl_eltwise_relu, 0, 0);
}

#endif
