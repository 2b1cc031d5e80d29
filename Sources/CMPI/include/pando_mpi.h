// The door to Open MPI: the few functions that Pando calls, found in the library when the program runs, so that Pando
// builds and runs where there is none. All functions but `pmpi_load` need a `pmpi_load` that returned NULL.
#ifndef PANDO_MPI_H
#define PANDO_MPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void *pmpi_comm;
typedef void *pmpi_request;

// Finds the library; returns NULL, or why it cannot be used. Later calls return what the first did.
const char *pmpi_load(void);

// Every int is MPI's error code: 0 is success, and `pmpi_error` puts others into words.
void pmpi_error(int code, char text[256]);

// Starts MPI for use by any thread at any time. `level` becomes what the library grants; 3 is any thread at any time.
int pmpi_init(int *level);
int pmpi_finalize(void);
// Ends all ranks of the run with this exit code.
void pmpi_abort(int code);

// A communicator of all ranks, of this program alone. Its errors are returned.
int pmpi_world(pmpi_comm *comm);
int pmpi_rank(pmpi_comm comm, int *rank, int *size);
// `color` < 0: no group for this rank, and NULL comes out.
int pmpi_split(pmpi_comm comm, int color, int key, pmpi_comm *group);
int pmpi_duplicate(pmpi_comm comm, pmpi_comm *copy);
int pmpi_free(pmpi_comm comm);

int pmpi_gather_all(const void *source, void *destination, int bytes, pmpi_comm comm);
int pmpi_start_send(const void *source, int bytes, int peer, int tag, pmpi_comm comm, pmpi_request *request);
int pmpi_start_receive(void *destination, int bytes, int peer, int tag, pmpi_comm comm, pmpi_request *request);
// Whether the request has ended; then `received` is the length of the message, where it was one.
int pmpi_test(pmpi_request *request, bool *done, int *received);

// The library's own all-reduce, a sum of floats in place: what ours is measured against.
int pmpi_plain_all_reduce(float *buffer, int count, pmpi_comm comm);

#endif
