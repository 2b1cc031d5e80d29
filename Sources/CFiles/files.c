#define _GNU_SOURCE
#include "pando_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

int pf_create_nameless(const char *folder) {
#ifdef O_TMPFILE
  int nameless = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  // Not every file system knows such files.
  if (nameless >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return nameless;
#endif
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/.pando-XXXXXX", folder);
  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int descriptor = mkstemp(path);
  if (descriptor < 0) return -1;
  unlink(path);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
}

bool pf_is_memory(int descriptor) {
#ifdef __linux__
  struct statfs information;
  if (fstatfs(descriptor, &information) != 0) return false;
  return (uint32_t)information.f_type == 0x01021994u || (uint32_t)information.f_type == 0x858458f6u;
#else
  (void)descriptor;
  return false;
#endif
}

int64_t pf_free_bytes(int descriptor) {
  struct statvfs information;
  if (fstatvfs(descriptor, &information) != 0) return INT64_MAX;
  return (int64_t)information.f_bavail * (int64_t)information.f_frsize;
}

int pf_reserve(int descriptor, int64_t bytes) {
  if (bytes <= 0) return 0;
#ifdef __linux__
  int status;
  do status = posix_fallocate(descriptor, 0, bytes);
  while (status == EINTR);
  return status;
#else
  fstore_t wish = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, bytes, 0};
  if (fcntl(descriptor, F_PREALLOCATE, &wish) != 0 || ftruncate(descriptor, bytes) != 0) return errno;
  return 0;
#endif
}

void *pf_map(int descriptor, size_t bytes, size_t alignment) {
  // More addresses than that are taken first, so that some place among them is aligned.
  char *taken = mmap(NULL, bytes + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (taken == MAP_FAILED) return NULL;
  size_t before = (alignment - (uintptr_t)taken % alignment) % alignment;
  char *start = taken + before;
  if (mmap(start, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
    int problem = errno;
    munmap(taken, bytes + alignment);
    errno = problem;
    return NULL;
  }
  size_t mapped = (bytes + (size_t)sysconf(_SC_PAGESIZE) - 1) / (size_t)sysconf(_SC_PAGESIZE) * (size_t)sysconf(_SC_PAGESIZE);
  if (before > 0) munmap(taken, before);
  if (alignment > before + (mapped - bytes)) munmap(start + mapped, alignment - before - (mapped - bytes));
  return start;
}

void pf_forget(int descriptor, int64_t offset, int64_t bytes) {
#ifdef FALLOC_FL_ZERO_RANGE
  (void)!fallocate(descriptor, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, bytes);
#else
  (void)descriptor, (void)offset, (void)bytes;
#endif
}

void pf_write_out(int descriptor, int64_t offset, int64_t bytes) {
#ifdef __linux__
  sync_file_range(
      descriptor, offset, bytes,
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  posix_fadvise(descriptor, offset, bytes, POSIX_FADV_DONTNEED);
#else
  (void)offset, (void)bytes;
  fsync(descriptor);
#endif
}

void pf_populate(void *start, size_t bytes, bool writes) {
  if (bytes == 0) return;
  madvise(start, bytes, MADV_WILLNEED);
#ifdef __linux__
  // Linux 5.14 knows them: 22 is MADV_POPULATE_READ, 23 MADV_POPULATE_WRITE.
  if (madvise(start, bytes, writes ? 23 : 22) == 0) return;
#else
  (void)writes;
#endif
  const volatile unsigned char *memory = start;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (size_t place = 0; place < bytes; place += page) (void)memory[place];
}

void pf_unmap_pages(void *start, size_t bytes) {
  if (bytes > 0) madvise(start, bytes, MADV_DONTNEED);
}
