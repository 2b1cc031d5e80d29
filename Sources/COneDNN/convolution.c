#include <stdlib.h>
#include <string.h>

#include "primitive.h"

// The plain layouts of a convolution's tensors, by number of spatial dimensions.
static const dnnl_format_tag_t data_tags[] = {dnnl_ncw, dnnl_nchw, dnnl_ncdhw};
static const dnnl_format_tag_t weight_tags[] = {dnnl_oiw, dnnl_oihw, dnnl_oidhw};
static const dnnl_format_tag_t grouped_tags[] = {dnnl_goiw, dnnl_goihw, dnnl_goidhw};

typedef struct layouts {
  dnnl_memory_desc_t x, w, y;
} layouts;

// Descriptors of all three tensors: plain, or in whatever layout the primitive prefers.
static dnnl_status_t describe(layouts *out, const pdnn_convolution *c, int is_plain) {
  int s = c->spatial;
  dnnl_data_type_t type = pdnn_type(c->type), weight_type = pdnn_type(c->weight_type);
  dnnl_dims_t x = {c->batch, c->in_channels}, y = {c->batch, c->out_channels};
  dnnl_dims_t w = {c->out_channels, c->in_channels};
  int at = 2;
  if (c->groups > 1) {
    w[0] = c->groups;
    w[1] = c->out_channels / c->groups;
    w[2] = c->in_channels / c->groups;
    at = 3;
  }
  for (int d = 0; d < s; d++) {
    x[2 + d] = c->input[d];
    y[2 + d] = c->output[d];
    w[at + d] = c->kernel[d];
  }
  dnnl_format_tag_t data = is_plain ? data_tags[s - 1] : dnnl_format_tag_any;
  dnnl_format_tag_t weights = is_plain ? (c->groups > 1 ? grouped_tags : weight_tags)[s - 1] : dnnl_format_tag_any;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(&out->x, 2 + s, x, type, data);
  if (status == dnnl_success) status = dnnl_memory_desc_init_by_tag(&out->w, at + s, w, weight_type, weights);
  if (status == dnnl_success) status = dnnl_memory_desc_init_by_tag(&out->y, 2 + s, y, type, data);
  return status;
}

// The primitive descriptor of one of the three products. The backward ones want the forward one as a hint.
static dnnl_status_t choose(dnnl_primitive_desc_t *out, pdnn_convolution_kind kind, const pdnn_convolution *c,
                            dnnl_primitive_attr_t attr) {
  layouts any;
  // The hint is the forward product of the operands' type, whatever type the weights' gradient has.
  pdnn_convolution forward = *c;
  forward.weight_type = c->type;
  dnnl_status_t status = describe(&any, &forward, 0);
  if (status != dnnl_success) return status;
  // Arrays of the length that oneDNN's declarations name, of which it reads as many numbers as there are dimensions.
  dnnl_dims_t strides = {0}, dilates = {0}, low = {0}, high = {0};
  for (int d = 0; d < c->spatial; d++) {
    strides[d] = c->stride[d];
    dilates[d] = c->dilation[d] - 1;
    low[d] = c->low[d];
    high[d] = c->high[d];
  }
  dnnl_alg_kind_t algorithm = c->algorithm == PDNN_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
  dnnl_convolution_desc_t desc;
  status = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_training, algorithm, &any.x, &any.w, NULL,
                                                      &any.y, strides, dilates, low, high);
  if (status != dnnl_success) return status;
  if (kind == PDNN_CONVOLUTION_FORWARD) return dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), NULL);

  dnnl_primitive_desc_t hint = NULL;
  status = dnnl_primitive_desc_create(&hint, &desc, NULL, pdnn_engine(), NULL);
  if (status != dnnl_success) return status;
  if (kind == PDNN_CONVOLUTION_BACKWARD_DATA) {
    status = dnnl_dilated_convolution_backward_data_desc_init(&desc, algorithm, &any.x, &any.w, &any.y, strides,
                                                              dilates, low, high);
  } else {
    status = describe(&any, c, 0);
    if (status == dnnl_success) {
      status = dnnl_dilated_convolution_backward_weights_desc_init(&desc, algorithm, &any.x, &any.w, NULL, &any.y,
                                                                   strides, dilates, low, high);
    }
  }
  if (status == dnnl_success) status = dnnl_primitive_desc_create(out, &desc, attr, pdnn_engine(), hint);
  dnnl_primitive_desc_destroy(hint);
  return status;
}

// A stage that copies between two layouts of one tensor.
static dnnl_status_t add_reorder(pdnn_primitive *p, const dnnl_memory_desc_t *from, pdnn_place from_place,
                                 size_t from_where, const dnnl_memory_desc_t *to, pdnn_place to_place,
                                 size_t to_where) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success) {
    status = dnnl_reorder_primitive_desc_create(&descriptor, from, pdnn_engine(), to, pdnn_engine(), attr);
  }
  if (attr) dnnl_primitive_attr_destroy(attr);
  if (status == dnnl_success) status = pdnn_add_stage(p, descriptor);
  if (status == dnnl_success) status = pdnn_add_arg(p, DNNL_ARG_FROM, from_place, from_where, from);
  if (status == dnnl_success) status = pdnn_add_arg(p, DNNL_ARG_TO, to_place, to_where, to);
  return status;
}

// One tensor of the product: how the caller holds it, how the primitive wants it, and where it then lies.
typedef struct side {
  int name;
  const dnnl_memory_desc_t *plain;
  dnnl_memory_desc_t wanted;
  pdnn_place place;
  size_t where;
  int is_moved;
} side;

static side find_side(pdnn_primitive *p, int name, const dnnl_memory_desc_t *plain, const_dnnl_primitive_desc_t from,
                      dnnl_query_t query, pdnn_place place, size_t where) {
  side s = {name, plain, *dnnl_primitive_desc_query_md(from, query, 0), place, where, 0};
  if (!dnnl_memory_desc_equal(plain, &s.wanted)) {
    s.is_moved = 1;
    s.place = PDNN_SCRATCH;
    s.where = pdnn_reserve(p, dnnl_memory_desc_get_size(&s.wanted));
  }
  return s;
}

static dnnl_status_t build(pdnn_primitive *p, pdnn_convolution_kind kind, const pdnn_convolution *c) {
  layouts plain;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = describe(&plain, c, 1);
  if (status == dnnl_success) status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success) status = choose(&descriptor, kind, c, attr);
  if (attr) dnnl_primitive_attr_destroy(attr);
  if (status != dnnl_success) return status;

  side first, second, result;
  switch (kind) {
    case PDNN_CONVOLUTION_FORWARD:
      first = find_side(p, DNNL_ARG_SRC, &plain.x, descriptor, dnnl_query_src_md, PDNN_INPUT, 0);
      second = find_side(p, DNNL_ARG_WEIGHTS, &plain.w, descriptor, dnnl_query_weights_md, PDNN_INPUT, 1);
      result = find_side(p, DNNL_ARG_DST, &plain.y, descriptor, dnnl_query_dst_md, PDNN_OUTPUT, 0);
      break;
    case PDNN_CONVOLUTION_BACKWARD_DATA:
      first = find_side(p, DNNL_ARG_DIFF_DST, &plain.y, descriptor, dnnl_query_diff_dst_md, PDNN_INPUT, 0);
      second = find_side(p, DNNL_ARG_WEIGHTS, &plain.w, descriptor, dnnl_query_weights_md, PDNN_INPUT, 1);
      result = find_side(p, DNNL_ARG_DIFF_SRC, &plain.x, descriptor, dnnl_query_diff_src_md, PDNN_OUTPUT, 0);
      break;
    default:
      first = find_side(p, DNNL_ARG_SRC, &plain.x, descriptor, dnnl_query_src_md, PDNN_INPUT, 0);
      second = find_side(p, DNNL_ARG_DIFF_DST, &plain.y, descriptor, dnnl_query_diff_dst_md, PDNN_INPUT, 1);
      result = find_side(p, DNNL_ARG_DIFF_WEIGHTS, &plain.w, descriptor, dnnl_query_diff_weights_md, PDNN_OUTPUT, 0);
      break;
  }
  side *operands[] = {&first, &second};
  for (int i = 0; i < 2 && status == dnnl_success; i++) {
    if (operands[i]->is_moved) {
      status = add_reorder(p, operands[i]->plain, PDNN_INPUT, i, &operands[i]->wanted, PDNN_SCRATCH,
                           operands[i]->where);
    }
  }
  if (status != dnnl_success) {
    dnnl_primitive_desc_destroy(descriptor);
    return status;
  }
  status = pdnn_add_stage(p, descriptor);
  side *all[] = {&first, &second, &result};
  for (int i = 0; i < 3 && status == dnnl_success; i++) {
    status = pdnn_add_arg(p, all[i]->name, all[i]->place, all[i]->where, &all[i]->wanted);
  }
  if (status == dnnl_success && result.is_moved) {
    status = add_reorder(p, &result.wanted, PDNN_SCRATCH, result.where, result.plain, PDNN_OUTPUT, 0);
  }
  return status;
}

pdnn_primitive *pdnn_convolution_create(pdnn_convolution_kind kind, const pdnn_convolution *shape) {
  if (shape->spatial < 1 || shape->spatial > 3 || shape->groups < 1) {
    pdnn_failed(dnnl_invalid_arguments, "convolution");
    return NULL;
  }
  pdnn_primitive *primitive = calloc(1, sizeof *primitive);
  dnnl_status_t status = primitive ? build(primitive, kind, shape) : dnnl_out_of_memory;
  if (status != dnnl_success) {
    pdnn_failed(status, "convolution");
    pdnn_destroy(primitive);
    return NULL;
  }
  return primitive;
}
