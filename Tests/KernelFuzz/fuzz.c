// Runs random cases of every family: fuzz SEED ROUNDS.
#include "fuzz.h"

static uint64_t state;
static void *kept[256];
static int kept_count;

uint64_t fuzz_bits(void) {
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

int64_t fuzz_below(int64_t n) { return (int64_t)(fuzz_bits() % (uint64_t)n); }

int64_t fuzz_size(int64_t limit) {
  static const int64_t sizes[] = {0,  1,  2,  3,  7,  8,   9,   15,  16,  17,   31,
                                  32, 33, 63, 64, 65, 127, 129, 255, 257, 1000, 1031};
  int64_t size;
  do size = sizes[fuzz_below(sizeof sizes / sizeof *sizes)];
  while (size > limit || (size == 0 && fuzz_below(4)));
  return size;
}

static void *keep(void *memory) {
  if (!memory || kept_count == (int)(sizeof kept / sizeof *kept)) {
    fprintf(stderr, "error: the fuzzer is out of memory\n");
    exit(1);
  }
  return kept[kept_count++] = memory;
}

void *fuzz_memory(int64_t count, size_t size) {
  size_t before = (size_t)fuzz_below(4) * size, bytes = (size_t)count * size;
  char *memory = keep(malloc(before + bytes + (before + bytes == 0)));
  memset(memory, 0xAB, before + bytes);
  return memory + before;
}

static void set(void *memory, int64_t i, pk_dtype dtype, double x) {
  float narrow = (float)x;
  uint32_t bits;
  memcpy(&bits, &narrow, 4);
  switch (dtype) {
    case PK_F32: ((float *)memory)[i] = narrow; break;
    case PK_F64: ((double *)memory)[i] = x; break;
    case PK_BF16: ((uint16_t *)memory)[i] = (uint16_t)(bits >> 16); break;
    case PK_F16: ((uint16_t *)memory)[i] = (uint16_t)fuzz_bits(); break;
    case PK_I32: ((int32_t *)memory)[i] = (int32_t)fuzz_bits(); break;
    case PK_I64: ((int64_t *)memory)[i] = (int64_t)fuzz_bits(); break;
    case PK_BOOL: ((uint8_t *)memory)[i] = fuzz_bits() & 1; break;
    default: ((uint8_t *)memory)[i] = (uint8_t)fuzz_bits();
  }
}

static double small(void) { return (double)(int64_t)fuzz_bits() * 0x1p-62; }

void *fuzz_tame(int64_t count, pk_dtype dtype) {
  void *memory = fuzz_memory(count, pk_size(dtype));
  for (int64_t i = 0; i < count; i++) set(memory, i, dtype, small());
  return memory;
}

void *fuzz_numbers(int64_t count, pk_dtype dtype) {
  static const double odd[] = {0, -0.0, 1e30, -1e30, 1e-40, 88, -104, 0.5};
  void *memory = fuzz_memory(count, pk_size(dtype));
  for (int64_t i = 0; i < count; i++) {
    int64_t kind = fuzz_below(40);
    double x = kind < 8 ? odd[kind] : kind == 8 ? __builtin_inf() : kind == 9 ? __builtin_nan("") : small();
    set(memory, i, dtype, x);
  }
  return memory;
}

void *fuzz_workspace(size_t bytes) {
  // Exactly as long: aligned_alloc would round up what a kernel must not touch.
  void *memory = NULL;
  return keep(posix_memalign(&memory, 64, bytes + (bytes == 0)) == 0 ? memory : NULL);
}

void fuzz_same(const char *what, const void *a, const void *b, int64_t count, size_t size) {
  if (count == 0 || memcmp(a, b, (size_t)count * size) == 0) return;
  fprintf(stderr, "error: %s: one thread and three differ\n", what);
  exit(1);
}

void fuzz_ok(const char *what, pk_status status) {
  if (status == PK_OK) return;
  fprintf(stderr, "error: %s: status %d\n", what, (int)status);
  exit(1);
}

void fuzz_free_all(void) {
  while (kept_count > 0) free(kept[--kept_count]);
}

int main(int count, char **arguments) {
  static void (*const families[])(void) = {fuzz_rows,        fuzz_channels,  fuzz_attention, fuzz_movement,
                                           fuzz_indexing,    fuzz_reduction, fuzz_ordering,  fuzz_pooling,
                                           fuzz_contraction, fuzz_stream,    fuzz_tile,      fuzz_sweeps,
                                           fuzz_winograd};
  if (pk_isa_problem()) {
    fprintf(stderr, "error: %s\n", pk_isa_problem());
    return 2;
  }
  uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  int64_t rounds = count > 2 ? atoll(arguments[2]) : 100;
  for (int64_t round = 0; round < rounds; round++) {
    for (size_t family = 0; family < sizeof families / sizeof *families; family++) {
      state = seed * 1000003 + (uint64_t)round * 64 + family;
      families[family]();
      fuzz_free_all();
    }
  }
  printf("%s: %lld rounds of all kernels from seed %llu\n", pk_isa_name(pk_isa_in_use()), (long long)rounds,
         (unsigned long long)seed);
  return 0;
}
