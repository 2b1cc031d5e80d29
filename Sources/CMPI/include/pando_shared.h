// Memory that processes of one host share, and flags in it to wait for.
#ifndef PANDO_SHARED_H
#define PANDO_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Makes nameless shared memory, of zeros, that goes away with the last process that has it. Returns its file
// descriptor, or -1 (errno says why).
int pshm_create(size_t bytes);
// Opens the memory behind another process's file descriptor. Returns a descriptor of this process, or -1.
int pshm_open(int process, int descriptor);
// Maps it and closes the descriptor; NULL where that fails.
void *pshm_map(int descriptor, size_t bytes);
void pshm_unmap(void *memory, size_t bytes);

// A counter that others wait for. 8 bytes, in memory that began as zeros.
typedef struct {
  uint32_t count;
  uint32_t sleepers;
} pshm_flag;

// Sets the counter: what was written to memory before is seen by those who see it.
void pshm_set(pshm_flag *flag, uint32_t count);
uint32_t pshm_get(const pshm_flag *flag);
// Whether the counter has reached `count` (it may wrap) within the time: at first by looking again and again for
// `spin` nanoseconds, then asleep for at most `sleep` nanoseconds.
bool pshm_wait(pshm_flag *flag, uint32_t count, int64_t spin, int64_t sleep);

#endif
