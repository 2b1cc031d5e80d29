// What differs between oneDNN 2 and 3, and nothing else. In version 2 the descriptor of a tensor is a struct, in 3 an
// object behind a pointer; here both are pointers, into a pool that holds them while a primitive is made.
#ifndef PDNN_VERSION_H
#define PDNN_VERSION_H

#include <dnnl.h>
#include <stdint.h>

#include "pando_onednn.h"

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t pdnn_desc;
#else
typedef const dnnl_memory_desc_t *pdnn_desc;
#endif

// More than the making of any primitive takes.
#define PDNN_POOL_SIZE 64

// Begins as {0}.
typedef struct pdnn_pool {
  int count;
  dnnl_memory_desc_t items[PDNN_POOL_SIZE];
} pdnn_pool;

// Frees all descriptors of a pool.
void pdnn_pool_free(pdnn_pool *pool);

// The descriptor of a tensor that lies as a tag says, or by strides.
dnnl_status_t pdnn_desc_by_tag(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                               dnnl_data_type_t type, dnnl_format_tag_t tag);
dnnl_status_t pdnn_desc_by_strides(pdnn_pool *pool, pdnn_desc *out, int rank, const dnnl_dims_t shape,
                                   dnnl_data_type_t type, const dnnl_dims_t strides);

// A copy of one of the descriptors that a primitive has chosen.
dnnl_status_t pdnn_desc_of(pdnn_pool *pool, pdnn_desc *out, const_dnnl_primitive_desc_t from, dnnl_query_t query,
                           int index);

// The bytes by which descriptors differ; equal descriptors have the same. Returns how many there are.
#define PDNN_DESC_BYTES 2048
size_t pdnn_desc_bytes(pdnn_desc desc, unsigned char bytes[PDNN_DESC_BYTES]);

dnnl_status_t pdnn_describe_matmul(dnnl_primitive_desc_t *out, pdnn_desc a, pdnn_desc w, pdnn_desc c,
                                   dnnl_primitive_attr_t attr);

// The numbers of a convolution's window; oneDNN reads as many of each as there are spatial dimensions.
typedef struct pdnn_window {
  dnnl_dims_t strides, dilates, low, high;
} pdnn_window;

// The three products; `bias` may be null. The backward ones want the forward one as a hint.
dnnl_status_t pdnn_describe_forward(dnnl_primitive_desc_t *out, dnnl_prop_kind_t purpose, dnnl_alg_kind_t algorithm,
                                    pdnn_desc x, pdnn_desc w, pdnn_desc bias, pdnn_desc y, const pdnn_window *window,
                                    dnnl_primitive_attr_t attr);
dnnl_status_t pdnn_describe_backward_data(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc dx,
                                          pdnn_desc w, pdnn_desc dy, const pdnn_window *window,
                                          dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr);
dnnl_status_t pdnn_describe_backward_weights(dnnl_primitive_desc_t *out, dnnl_alg_kind_t algorithm, pdnn_desc x,
                                             pdnn_desc dw, pdnn_desc dy, const pdnn_window *window,
                                             dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr);

// Adds what the result's memory holds before; makes negative results 0.
dnnl_status_t pdnn_append_sum(dnnl_post_ops_t list);
dnnl_status_t pdnn_append_relu(dnnl_post_ops_t list);

#endif
