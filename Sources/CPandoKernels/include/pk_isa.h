/// Which instruction set the kernels use.
#ifndef PK_ISA_H
#define PK_ISA_H

/// The instruction sets that kernels are compiled for, the least demanding first.
typedef enum pk_isa {
  /// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
  PK_ISA_PLAIN = 0,
  /// x86-64-v3: AVX2 and fused multiplication and addition.
  PK_ISA_AVX2 = 1,
  /// x86-64-v4: AVX-512.
  PK_ISA_AVX512 = 2,
} pk_isa;

/// The one in use: the best that this machine has, or the one that the environment variable `PANDO_ISA`
/// names, which is read once, before `main`. It never changes.
pk_isa pk_isa_in_use(void);

/// What `PANDO_ISA` calls it.
const char *pk_isa_name(pk_isa isa);

/// What is wrong with `PANDO_ISA`, with the names that would do; null where nothing is. Kernels then use the
/// best.
const char *pk_isa_problem(void);

#endif
