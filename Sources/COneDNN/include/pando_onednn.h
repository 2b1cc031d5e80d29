/// The part of oneDNN that Pando uses, behind an interface of its own: primitives are made once, with everything that
/// can be decided then, and executed on raw pointers with workspace from the caller. Executing allocates nothing of ours.
///
/// Written for oneDNN 2 and 3, whichever dnnl.h is found when it is compiled; nothing of dnnl.h shows here.
#ifndef PANDO_ONEDNN_H
#define PANDO_ONEDNN_H

#include <stddef.h>
#include <stdint.h>

/// Element types.
typedef enum pdnn_dtype { PDNN_F32 = 0, PDNN_BF16 = 1, PDNN_F16 = 2, PDNN_S32 = 3 } pdnn_dtype;

/// The most dimensions that an operand has.
#define PDNN_MAX_RANK 6

/// Something that can be executed. Used by one thread at a time.
typedef struct pdnn_primitive pdnn_primitive;

/// The version of the library in use: "2.6.3".
const char *pdnn_version(void);

/// The version whose header this was compiled with.
const char *pdnn_compiled_version(void);

/// The instruction sets that the library can be held to.
typedef enum pdnn_isa { PDNN_ISA_SSE = 0, PDNN_ISA_AVX2 = 1 } pdnn_isa;

/// Holds the library to an instruction set, whatever more the processor has; 0 where it takes. To be called before
/// anything is made.
int pdnn_limit_isa(pdnn_isa isa);

/// The best instruction set that the library uses here, as it calls it: "avx512_core_bf16". Nothing can be held to a set
/// afterwards.
const char *pdnn_isa_name(void);

/// Whether the library multiplies bfloat16 here: it takes AVX-512.
int pdnn_has_bf16(void);

/// Whether the library convolves by Winograd's method here: version 2 does, with AVX-512.
int pdnn_has_winograd(void);

/// What went wrong in the last call on this thread that failed.
const char *pdnn_last_error(void);

/// Threads that primitives made and executed from now on use: the size of the OpenMP team.
void pdnn_set_threads(int threads);

/// Bytes of workspace that `pdnn_execute` needs, aligned to 64.
size_t pdnn_scratch_bytes(const pdnn_primitive *primitive);

/// Executes a primitive; 0 where all went well. Inputs and outputs are in the order in which the function that made it
/// names them.
int pdnn_execute(pdnn_primitive *primitive, void *const *inputs, void *const *outputs, void *scratch);

/// Frees a primitive; null is allowed.
void pdnn_destroy(pdnn_primitive *primitive);

/// The batched matrix product c[b, i, j] = Σ a[b, i, k] · w[b, k, j], all through strides in elements.
///
/// `rank` is at least 2; the last two entries of each array are the matrix, those before it batch dimensions. A batch
/// dimension of size 1 in one operand is repeated. Each operand's matrix has stride 1 along one of its dimensions; c's
/// along its last. Inputs: a, w. Outputs: c. Returns null where oneDNN cannot do it.
pdnn_primitive *pdnn_matmul_create(int rank, const int64_t *a_shape, const int64_t *a_strides, pdnn_dtype a_type,
                                   const int64_t *w_shape, const int64_t *w_strides, pdnn_dtype w_type,
                                   const int64_t *c_shape, const int64_t *c_strides, pdnn_dtype c_type);

/// Which of a convolution's three products is computed.
typedef enum pdnn_convolution_kind {
  /// Inputs: x, w. Output: y.
  PDNN_CONVOLUTION_FORWARD = 0,
  /// Inputs: dy, w. Output: dx.
  PDNN_CONVOLUTION_BACKWARD_DATA = 1,
  /// Inputs: x, dy. Output: dw.
  PDNN_CONVOLUTION_BACKWARD_WEIGHTS = 2,
} pdnn_convolution_kind;

/// How a convolution is computed. Winograd's method (Lavin and Gray, 2016) trades accuracy for fewer multiplications.
typedef enum pdnn_algorithm { PDNN_DIRECT = 0, PDNN_WINOGRAD = 1 } pdnn_algorithm;

/// How the elements of one tensor of a convolution lie in memory.
typedef enum pdnn_layout_kind {
  /// Dense, in the order of the dimensions.
  PDNN_PLAIN = 0,
  /// x and y: [n, channels / block, spatial…, block]; the channels are a multiple of the block.
  PDNN_BLOCKED = 1,
  /// w: as the library likes it, for this convolution.
  PDNN_PACKED = 2,
} pdnn_layout_kind;

/// A layout; `block` is that of a blocked one.
typedef struct pdnn_layout {
  pdnn_layout_kind kind;
  int64_t block;
} pdnn_layout;

/// A convolution over 1 to 3 spatial dimensions, of x [n, c, input…] and w [o, c / groups, kernel…] to
/// y [n, o, output…].
typedef struct pdnn_convolution {
  int spatial;
  int64_t batch, in_channels, out_channels, groups;
  int64_t input[3], output[3], kernel[3], stride[3];
  /// 1 where neighbours in the kernel meet neighbours in the input.
  int64_t dilation[3];
  /// Zeros before and after the input.
  int64_t low[3], high[3];
  pdnn_dtype type;
  /// Of the weights' gradient: `type`, or float32 for sums that are not rounded. Otherwise `type`.
  pdnn_dtype weight_type;
  pdnn_algorithm algorithm;
  /// How the caller holds x (or dx), w (or dw) and y (or dy). For x and y that are plain the primitive may bring them
  /// into another layout within its workspace, and so it does with plain weights.
  pdnn_layout x, w, y;
  /// Forward only: whether no gradient will be taken, so that packed weights may be transformed ones.
  int is_inference;
  /// Forward only: whether a bias [o], of 32-bit floats, is added; it is the third input.
  int has_bias;
  /// Forward only: whether what y's memory holds before is added.
  int accumulates;
  /// Forward only: whether negative results become 0, at the end.
  int rectifies;
} pdnn_convolution;

/// The number of bytes that name packed weights.
#define PDNN_KEY_BYTES 16

/// Packed weights: their size, and a name that is the same for the same arrangement of bytes.
typedef struct pdnn_packing {
  size_t bytes;
  unsigned char key[PDNN_KEY_BYTES];
} pdnn_packing;

/// Sets the layouts of x, w and y to those that suit the primitive best, of all that can be named; `packing` is that of
/// the weights. Returns 0, or anything else where oneDNN cannot do such a convolution.
int pdnn_convolution_prefer(pdnn_convolution_kind kind, pdnn_convolution *shape, pdnn_packing *packing);

/// A convolution or one of its gradients. Returns null where oneDNN cannot do it.
pdnn_primitive *pdnn_convolution_create(pdnn_convolution_kind kind, const pdnn_convolution *shape);

/// Brings plain weights into the packed layout of a convolution. Input and output: w. Returns null where oneDNN cannot
/// do it.
pdnn_primitive *pdnn_convolution_pack_create(pdnn_convolution_kind kind, const pdnn_convolution *shape);

/// The reverse.
pdnn_primitive *pdnn_convolution_unpack_create(pdnn_convolution_kind kind, const pdnn_convolution *shape);

#endif
