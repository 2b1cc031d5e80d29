#define _GNU_SOURCE
#include "include/pando_shared.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int pshm_create(size_t bytes) {
  int descriptor = (int)syscall(SYS_memfd_create, "pando", 1u /* close on exec */);
  if (descriptor < 0) return -1;
  if (ftruncate(descriptor, (off_t)bytes) == 0) return descriptor;
  int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

int pshm_open(int process, int descriptor) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", process, descriptor);
  return open(path, O_RDWR | O_CLOEXEC);
}

void *pshm_map(int descriptor, size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  return memory == MAP_FAILED ? NULL : memory;
}

void pshm_unmap(void *memory, size_t bytes) { munmap(memory, bytes); }

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static bool reached(const pshm_flag *flag, uint32_t count) {
  return (int32_t)(__atomic_load_n(&flag->count, __ATOMIC_ACQUIRE) - count) >= 0;
}

uint32_t pshm_get(const pshm_flag *flag) { return __atomic_load_n(&flag->count, __ATOMIC_ACQUIRE); }

void pshm_set(pshm_flag *flag, uint32_t count) {
  // In one order with the sleepers' count, so that either we see a sleeper or it sees the new count.
  __atomic_store_n(&flag->count, count, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&flag->sleepers, __ATOMIC_SEQ_CST) > 0)
    syscall(SYS_futex, &flag->count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool pshm_wait(pshm_flag *flag, uint32_t count, int64_t spin, int64_t sleep) {
  if (reached(flag, count)) return true;
  int64_t start = now();
  do {
    for (int i = 0; i < 64; i++) {
      if (reached(flag, count)) return true;
      pause_briefly();
    }
  } while (now() - start < spin);
  __atomic_add_fetch(&flag->sleepers, 1, __ATOMIC_SEQ_CST);
  bool done = false;
  for (int64_t left = sleep;;) {
    uint32_t seen = __atomic_load_n(&flag->count, __ATOMIC_SEQ_CST);
    if ((int32_t)(seen - count) >= 0) {
      done = true;
      break;
    }
    if (left <= 0) break;
    struct timespec time = {left / 1000000000LL, left % 1000000000LL};
    syscall(SYS_futex, &flag->count, FUTEX_WAIT, seen, &time, NULL, 0);
    left = sleep - (now() - start - spin);
  }
  __atomic_sub_fetch(&flag->sleepers, 1, __ATOMIC_SEQ_CST);
  return done;
}
