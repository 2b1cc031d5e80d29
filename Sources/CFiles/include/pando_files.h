// Calls on files and their mappings that Swift does not import, or that only Linux has.
#ifndef PANDO_FILES_H
#define PANDO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Maps a file's first `bytes` to read and write, shared, at a multiple of `alignment` bytes: the system brings pages
// in by aligned blocks. NULL with `errno` where that fails.
void *pf_map(int descriptor, size_t bytes, size_t alignment);

// Makes a file without a name in a folder: it goes away with the last process that has it, however that ends. Returns
// its descriptor, or -1 (errno says why).
int pf_create_nameless(const char *folder);
// Whether a file's bytes lie in memory whatever is done (tmpfs, ramfs).
bool pf_is_memory(int descriptor);
// Bytes that may still be written to the file's disk.
int64_t pf_free_bytes(int descriptor);
// Gives the file its length, and the disk's blocks for all of it. Returns 0, or what went wrong as an errno.
int pf_reserve(int descriptor, int64_t bytes);
// Forgets what a stretch holds, which is zeros then; its blocks stay the file's. Where the file system cannot, nothing
// happens.
void pf_forget(int descriptor, int64_t offset, int64_t bytes);
// Writes a stretch to the disk, waits, and drops it from the system's cache.
void pf_write_out(int descriptor, int64_t offset, int64_t bytes);
// Asks for whole pages of a mapping of a file to be read in, and waits until they are there, to be written too or only
// read.
void pf_populate(void *start, size_t bytes, bool writes);
// Takes whole pages of a mapping of a file out of this process; what they hold is the file's.
void pf_unmap_pages(void *start, size_t bytes);

#endif
