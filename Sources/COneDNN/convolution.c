#include <stdlib.h>
#include <string.h>

#include "layout.h"

// Plain weights, by number of spatial dimensions.
static const dnnl_format_tag_t weight_tags[] = {dnnl_oiw, dnnl_oihw, dnnl_oidhw};
static const dnnl_format_tag_t grouped_tags[] = {dnnl_goiw, dnnl_goihw, dnnl_goidhw};

// The sizes of the three tensors as oneDNN counts them.
typedef struct sizes {
  int x_rank, w_rank;
  dnnl_dims_t x, w, y;
} sizes;

static sizes measure(const pdnn_convolution *c) {
  int s = c->spatial, at = c->groups > 1 ? 3 : 2;
  sizes m = {2 + s, at + s, {c->batch, c->in_channels}, {c->out_channels, c->in_channels}, {c->batch, c->out_channels}};
  if (c->groups > 1) {
    m.w[0] = c->groups;
    m.w[1] = c->out_channels / c->groups;
    m.w[2] = c->in_channels / c->groups;
  }
  for (int d = 0; d < s; d++) {
    m.x[2 + d] = c->input[d];
    m.y[2 + d] = c->output[d];
    m.w[at + d] = c->kernel[d];
  }
  return m;
}

typedef struct layouts {
  pdnn_desc x, w, y;
} layouts;

// How the caller holds the tensors; packed weights are left out.
static dnnl_status_t describe_given(pdnn_pool *pool, layouts *out, const pdnn_convolution *c) {
  sizes m = measure(c);
  dnnl_data_type_t type = pdnn_type(c->type);
  const dnnl_format_tag_t *tags = c->groups > 1 ? grouped_tags : weight_tags;
  dnnl_status_t status = pdnn_describe(pool, &out->x, m.x_rank, m.x, type, c->x);
  if (status == dnnl_success) status = pdnn_describe(pool, &out->y, m.x_rank, m.y, type, c->y);
  if (status == dnnl_success) {
    status = pdnn_desc_by_tag(pool, &out->w, m.w_rank, m.w, pdnn_type(c->weight_type), tags[c->spatial - 1]);
  }
  return status;
}

// What the primitive may choose from: blocked tensors stay as they are, unless `is_free`, everything else is free.
static dnnl_status_t describe_wanted(pdnn_pool *pool, layouts *out, const pdnn_convolution *c, int is_free) {
  sizes m = measure(c);
  dnnl_data_type_t type = pdnn_type(c->type);
  dnnl_status_t status = describe_given(pool, out, c);
  if (status == dnnl_success && (is_free || c->x.kind == PDNN_PLAIN)) {
    status = pdnn_desc_by_tag(pool, &out->x, m.x_rank, m.x, type, dnnl_format_tag_any);
  }
  if (status == dnnl_success && (is_free || c->y.kind == PDNN_PLAIN)) {
    status = pdnn_desc_by_tag(pool, &out->y, m.x_rank, m.y, type, dnnl_format_tag_any);
  }
  if (status == dnnl_success) {
    status = pdnn_desc_by_tag(pool, &out->w, m.w_rank, m.w, pdnn_type(c->weight_type), dnnl_format_tag_any);
  }
  return status;
}

// What is done to the result while it is in registers.
static dnnl_status_t add_post_operations(dnnl_primitive_attr_t attr, const pdnn_convolution *c) {
  if (!c->accumulates && !c->rectifies) return dnnl_success;
  dnnl_post_ops_t list = NULL;
  dnnl_status_t status = dnnl_post_ops_create(&list);
  if (status == dnnl_success && c->accumulates) status = pdnn_append_sum(list);
  if (status == dnnl_success && c->rectifies) {
    status = pdnn_append_relu(list);
  }
  if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attr, list);
  if (list) dnnl_post_ops_destroy(list);
  return status;
}

static pdnn_window window_of(const pdnn_convolution *c) {
  pdnn_window window = {{0}, {0}, {0}, {0}};
  for (int d = 0; d < c->spatial; d++) {
    window.strides[d] = c->stride[d];
    window.dilates[d] = c->dilation[d] - 1;
    window.low[d] = c->low[d];
    window.high[d] = c->high[d];
  }
  return window;
}

static dnnl_alg_kind_t algorithm_of(const pdnn_convolution *c) {
  return c->algorithm == PDNN_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

// The forward product of the operands' type, whatever type the weights' gradient has.
static dnnl_status_t choose_forward(pdnn_pool *pool, dnnl_primitive_desc_t *out, const pdnn_convolution *c,
                                    int is_free, dnnl_primitive_attr_t attr) {
  layouts any;
  pdnn_convolution forward = *c;
  forward.weight_type = c->type;
  pdnn_window window = window_of(c);
  pdnn_desc bias = NULL;
  dnnl_dims_t channels = {c->out_channels};
  dnnl_status_t status = describe_wanted(pool, &any, &forward, is_free);
  if (status == dnnl_success && c->has_bias) status = pdnn_desc_by_tag(pool, &bias, 1, channels, dnnl_f32, dnnl_x);
  if (status != dnnl_success) return status;
  // Layouts that are free are chosen as for training, so that neighbours agree.
  dnnl_prop_kind_t purpose = c->is_inference && !is_free ? dnnl_forward_inference : dnnl_forward_training;
  return pdnn_describe_forward(out, purpose, algorithm_of(c), any.x, any.w, bias, any.y, &window, attr);
}

static dnnl_status_t choose_backward(pdnn_pool *pool, dnnl_primitive_desc_t *out, pdnn_convolution_kind kind,
                                     const pdnn_convolution *c, int is_free, dnnl_primitive_attr_t attr) {
  layouts any;
  pdnn_window window = window_of(c);
  dnnl_primitive_desc_t hint = NULL;
  dnnl_status_t status = choose_forward(pool, &hint, c, is_free, NULL);
  if (status == dnnl_success) status = describe_wanted(pool, &any, c, is_free);
  if (status == dnnl_success) {
    status = kind == PDNN_CONVOLUTION_BACKWARD_DATA
                 ? pdnn_describe_backward_data(out, algorithm_of(c), any.x, any.w, any.y, &window, hint, attr)
                 : pdnn_describe_backward_weights(out, algorithm_of(c), any.x, any.w, any.y, &window, hint, attr);
  }
  if (hint) dnnl_primitive_desc_destroy(hint);
  return status;
}

// The primitive descriptor of one of the three products. The backward ones want the forward one as a hint.
static dnnl_status_t choose(dnnl_primitive_desc_t *out, pdnn_convolution_kind kind, const pdnn_convolution *c,
                            int is_free) {
  pdnn_pool pool = {0};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success && kind == PDNN_CONVOLUTION_FORWARD) {
    status = add_post_operations(attr, c);
    if (status == dnnl_success) status = choose_forward(&pool, out, c, is_free, attr);
  } else if (status == dnnl_success) {
    status = choose_backward(&pool, out, kind, c, is_free, attr);
  }
  if (attr) dnnl_primitive_attr_destroy(attr);
  pdnn_pool_free(&pool);
  return status;
}

// The queries for the layouts that a primitive has chosen.
typedef struct queries {
  dnnl_query_t x, w, y;
} queries;

static queries queries_of(pdnn_convolution_kind kind) {
  queries q = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
  if (kind == PDNN_CONVOLUTION_BACKWARD_DATA) q.x = dnnl_query_diff_src_md;
  if (kind == PDNN_CONVOLUTION_BACKWARD_WEIGHTS) q.w = dnnl_query_diff_weights_md;
  if (kind != PDNN_CONVOLUTION_FORWARD) q.y = dnnl_query_diff_dst_md;
  return q;
}

// The weights' layout for a convolution whose x and y lie as given.
static dnnl_status_t find_packing(pdnn_pool *pool, pdnn_desc *out, pdnn_convolution_kind kind,
                                  const pdnn_convolution *c) {
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = choose(&descriptor, kind, c, 0);
  if (status != dnnl_success) return status;
  status = pdnn_desc_of(pool, out, descriptor, queries_of(kind).w, 0);
  dnnl_primitive_desc_destroy(descriptor);
  return status;
}

// Two FNV-1a hashes of the descriptor: equal descriptors have equal ones.
static void name_packing(unsigned char *key, pdnn_desc desc) {
  unsigned char bytes[PDNN_DESC_BYTES];
  size_t count = pdnn_desc_bytes(desc, bytes);
  uint64_t hashes[2] = {14695981039346656037u, 1099511628211u};
  for (size_t i = 0; i < count; i++) {
    for (int h = 0; h < 2; h++) hashes[h] = (hashes[h] ^ bytes[i]) * 1099511628211u;
  }
  memcpy(key, hashes, PDNN_KEY_BYTES);
}

int pdnn_convolution_prefer(pdnn_convolution_kind kind, pdnn_convolution *c, pdnn_packing *packing) {
  dnnl_primitive_desc_t descriptor = NULL;
  c->x = c->y = c->w = (pdnn_layout){PDNN_PLAIN, 0};
  dnnl_status_t status = choose(&descriptor, kind, c, 1);
  if (status != dnnl_success) return (int)pdnn_failed(status, "convolution");
  sizes m = measure(c);
  queries q = queries_of(kind);
  dnnl_data_type_t type = pdnn_type(c->type);
  c->x = pdnn_name(dnnl_primitive_desc_query_md(descriptor, q.x, 0), m.x_rank, m.x, type);
  c->y = pdnn_name(dnnl_primitive_desc_query_md(descriptor, q.y, 0), m.x_rank, m.y, type);
  dnnl_primitive_desc_destroy(descriptor);
  // A layout without a name is the primitive's own affair.
  if (c->x.kind == PDNN_PACKED) c->x.kind = PDNN_PLAIN;
  if (c->y.kind == PDNN_PACKED) c->y.kind = PDNN_PLAIN;
  pdnn_pool pool = {0};
  pdnn_desc wanted = NULL;
  layouts given;
  status = describe_given(&pool, &given, c);
  if (status == dnnl_success) status = find_packing(&pool, &wanted, kind, c);
  if (status == dnnl_success) {
    if (!dnnl_memory_desc_equal(wanted, given.w)) c->w.kind = PDNN_PACKED;
    packing->bytes = dnnl_memory_desc_get_size(wanted);
    name_packing(packing->key, wanted);
  }
  pdnn_pool_free(&pool);
  return status == dnnl_success ? 0 : (int)pdnn_failed(status, "convolution");
}

// One tensor of the product: how the caller holds it, how the primitive wants it, and where it then lies.
typedef struct side {
  int name;
  pdnn_desc given;
  pdnn_desc wanted;
  pdnn_place place;
  size_t where;
  int is_moved;
} side;

static dnnl_status_t find_side(pdnn_pool *pool, pdnn_primitive *p, side *s, pdnn_desc given,
                               const_dnnl_primitive_desc_t from, dnnl_query_t query) {
  dnnl_status_t status = pdnn_desc_of(pool, &s->wanted, from, query, 0);
  s->given = given ? given : s->wanted;
  if (status != dnnl_success || dnnl_memory_desc_equal(s->given, s->wanted)) return status;
  s->is_moved = 1;
  s->where = pdnn_reserve(p, dnnl_memory_desc_get_size(s->wanted));
  return status;
}

static dnnl_status_t add_stages(pdnn_pool *pool, pdnn_primitive *p, dnnl_primitive_desc_t descriptor, side *first,
                                side *second, side *result, const pdnn_convolution *c) {
  dnnl_status_t status = dnnl_success;
  side *operands[] = {first, second};
  for (int i = 0; i < 2 && status == dnnl_success; i++) {
    if (!operands[i]->is_moved) continue;
    status = pdnn_add_reorder(p, operands[i]->given, PDNN_INPUT, i, operands[i]->wanted, PDNN_SCRATCH,
                              operands[i]->where);
  }
  if (status == dnnl_success && result->is_moved && c->accumulates) {
    status = pdnn_add_reorder(p, result->given, PDNN_OUTPUT, 0, result->wanted, PDNN_SCRATCH, result->where);
  }
  pdnn_desc bias = NULL;
  if (status == dnnl_success && c->has_bias) {
    status = pdnn_desc_of(pool, &bias, descriptor, dnnl_query_weights_md, 1);
  }
  if (status != dnnl_success) {
    dnnl_primitive_desc_destroy(descriptor);
    return status;
  }
  status = pdnn_add_stage(p, descriptor);
  side *all[] = {first, second, result};
  for (int i = 0; i < 3 && status == dnnl_success; i++) {
    pdnn_place place = all[i]->is_moved ? PDNN_SCRATCH : i < 2 ? PDNN_INPUT : PDNN_OUTPUT;
    size_t where = all[i]->is_moved ? all[i]->where : i < 2 ? (size_t)i : 0;
    status = pdnn_add_arg(p, all[i]->name, place, where, all[i]->wanted);
  }
  if (status == dnnl_success && c->has_bias) status = pdnn_add_arg(p, DNNL_ARG_BIAS, PDNN_INPUT, 2, bias);
  if (status == dnnl_success && result->is_moved) {
    status = pdnn_add_reorder(p, result->wanted, PDNN_SCRATCH, result->where, result->given, PDNN_OUTPUT, 0);
  }
  return status;
}

static dnnl_status_t build(pdnn_pool *pool, pdnn_primitive *p, pdnn_convolution_kind kind, const pdnn_convolution *c) {
  layouts given;
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = describe_given(pool, &given, c);
  if (status == dnnl_success) status = choose(&descriptor, kind, c, 0);
  // No primitive for the layouts that the tensors have, but perhaps one for others.
  if (status == dnnl_unimplemented) status = choose(&descriptor, kind, c, 1);
  if (status != dnnl_success) return status;

  queries q = queries_of(kind);
  side x = {0}, w = {0}, y = {0};
  status = find_side(pool, p, &x, given.x, descriptor, q.x);
  if (status == dnnl_success) {
    status = find_side(pool, p, &w, c->w.kind == PDNN_PACKED ? NULL : given.w, descriptor, q.w);
  }
  if (status == dnnl_success) status = find_side(pool, p, &y, given.y, descriptor, q.y);
  if (status != dnnl_success) {
    dnnl_primitive_desc_destroy(descriptor);
    return status;
  }
  switch (kind) {
    case PDNN_CONVOLUTION_FORWARD:
      x.name = DNNL_ARG_SRC, w.name = DNNL_ARG_WEIGHTS, y.name = DNNL_ARG_DST;
      return add_stages(pool, p, descriptor, &x, &w, &y, c);
    case PDNN_CONVOLUTION_BACKWARD_DATA:
      x.name = DNNL_ARG_DIFF_SRC, w.name = DNNL_ARG_WEIGHTS, y.name = DNNL_ARG_DIFF_DST;
      return add_stages(pool, p, descriptor, &y, &w, &x, c);
    default:
      x.name = DNNL_ARG_SRC, w.name = DNNL_ARG_DIFF_WEIGHTS, y.name = DNNL_ARG_DIFF_DST;
      return add_stages(pool, p, descriptor, &x, &y, &w, c);
  }
}

static int is_valid(const pdnn_convolution *c) { return c->spatial >= 1 && c->spatial <= 3 && c->groups >= 1; }

// Ends the making of a primitive.
static pdnn_primitive *finished(pdnn_primitive *primitive, dnnl_status_t status, const char *what) {
  if (status == dnnl_success) return primitive;
  pdnn_failed(status, what);
  pdnn_destroy(primitive);
  return NULL;
}

pdnn_primitive *pdnn_convolution_create(pdnn_convolution_kind kind, const pdnn_convolution *shape) {
  pdnn_primitive *primitive = calloc(1, sizeof *primitive);
  dnnl_status_t status = !is_valid(shape) ? dnnl_invalid_arguments : !primitive ? dnnl_out_of_memory : dnnl_success;
  pdnn_pool pool = {0};
  if (status == dnnl_success) status = build(&pool, primitive, kind, shape);
  pdnn_pool_free(&pool);
  return finished(primitive, status, "convolution");
}

static pdnn_primitive *create_packing(pdnn_convolution_kind kind, const pdnn_convolution *c, int unpacks) {
  pdnn_primitive *primitive = calloc(1, sizeof *primitive);
  dnnl_status_t status = !is_valid(c) ? dnnl_invalid_arguments : !primitive ? dnnl_out_of_memory : dnnl_success;
  pdnn_pool pool = {0};
  layouts given;
  pdnn_desc packed = NULL;
  if (status == dnnl_success) status = describe_given(&pool, &given, c);
  if (status == dnnl_success) status = find_packing(&pool, &packed, kind, c);
  if (status == dnnl_success) {
    status = pdnn_add_reorder(primitive, unpacks ? packed : given.w, PDNN_INPUT, 0, unpacks ? given.w : packed,
                              PDNN_OUTPUT, 0);
  }
  pdnn_pool_free(&pool);
  return finished(primitive, status, "packed weights");
}

pdnn_primitive *pdnn_convolution_pack_create(pdnn_convolution_kind kind, const pdnn_convolution *shape) {
  return create_packing(kind, shape, 0);
}

pdnn_primitive *pdnn_convolution_unpack_create(pdnn_convolution_kind kind, const pdnn_convolution *shape) {
  return create_packing(kind, shape, 1);
}

int pdnn_has_winograd(void) {
  pdnn_convolution c = {.spatial = 2, .batch = 1, .in_channels = 64, .out_channels = 64, .groups = 1,
                        .input = {32, 32}, .output = {32, 32}, .kernel = {3, 3}, .stride = {1, 1}, .dilation = {1, 1},
                        .low = {1, 1}, .high = {1, 1}, .type = PDNN_F32, .weight_type = PDNN_F32,
                        .algorithm = PDNN_WINOGRAD};
  pdnn_packing packing;
  return pdnn_convolution_prefer(PDNN_CONVOLUTION_FORWARD, &c, &packing) == 0;
}
