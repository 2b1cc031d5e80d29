// Chooses the instruction set, once, before `main`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simd.h"

pk_isa pk_level = PK_ISA_PLAIN;
static char problem[160];

#if defined(__x86_64__)
static const char *const names[] = {"sse2", "avx2", "avx512"};

static pk_isa best(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return PK_ISA_AVX512;
  return __builtin_cpu_supports("x86-64-v3") ? PK_ISA_AVX2 : PK_ISA_PLAIN;
}
#else
static const char *const names[] = {"neon"};

static pk_isa best(void) { return PK_ISA_PLAIN; }
#endif

__attribute__((constructor)) static void choose(void) {
  pk_isa most = best();
  pk_level = most;
  const char *wanted = getenv("PANDO_ISA");
  if (!wanted || !*wanted) return;
  char valid[64] = "";
  for (int i = 0; i <= (int)most; i++) {
    if (strcmp(wanted, names[i]) == 0) {
      pk_level = (pk_isa)i;
      return;
    }
    snprintf(valid + strlen(valid), sizeof valid - strlen(valid), "%s%s", i ? ", " : "", names[i]);
  }
  snprintf(problem, sizeof problem, "PANDO_ISA: this machine cannot run '%.32s'; it has %s", wanted, valid);
}

pk_isa pk_isa_in_use(void) { return pk_level; }

const char *pk_isa_name(pk_isa isa) {
  return (unsigned)isa < sizeof names / sizeof *names ? names[isa] : "unknown";
}

const char *pk_isa_problem(void) { return *problem ? problem : NULL; }
