#define _GNU_SOURCE
#include "include/pando_mpi.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The binary interface of Open MPI 2 to 5 (libmpi.so.40): handles are pointers, the predefined ones are addresses of
// objects in the library.

enum { THREAD_MULTIPLE = 3, UNDEFINED = -32766 };
#define IN_PLACE ((void *)1)

// As large as any version's MPI_Status.
typedef struct {
  _Alignas(16) char bytes[64];
} status;

static struct {
  int (*init_thread)(int *, char ***, int, int *);
  int (*finalize)(void);
  int (*abort)(void *, int);
  int (*error_string)(int, char *, int *);
  int (*comm_rank)(void *, int *);
  int (*comm_size)(void *, int *);
  int (*comm_split)(void *, int, int, void **);
  int (*comm_dup)(void *, void **);
  int (*comm_free)(void **);
  int (*comm_set_errhandler)(void *, void *);
  int (*allgather)(const void *, int, void *, void *, int, void *, void *);
  int (*allreduce)(const void *, void *, int, void *, void *, void *);
  int (*isend)(const void *, int, void *, int, int, void *, void **);
  int (*irecv)(void *, int, void *, int, int, void *, void **);
  int (*test)(void **, int *, status *);
  int (*get_count)(const status *, void *, int *);
  void *world, *byte, *floating, *sum, *errors_return, *null_comm;
} mpi;

static const struct {
  const char *name;
  void **place;
} symbols[] = {
    {"MPI_Init_thread", (void **)&mpi.init_thread},
    {"MPI_Finalize", (void **)&mpi.finalize},
    {"MPI_Abort", (void **)&mpi.abort},
    {"MPI_Error_string", (void **)&mpi.error_string},
    {"MPI_Comm_rank", (void **)&mpi.comm_rank},
    {"MPI_Comm_size", (void **)&mpi.comm_size},
    {"MPI_Comm_split", (void **)&mpi.comm_split},
    {"MPI_Comm_dup", (void **)&mpi.comm_dup},
    {"MPI_Comm_free", (void **)&mpi.comm_free},
    {"MPI_Comm_set_errhandler", (void **)&mpi.comm_set_errhandler},
    {"MPI_Allgather", (void **)&mpi.allgather},
    {"MPI_Allreduce", (void **)&mpi.allreduce},
    {"MPI_Isend", (void **)&mpi.isend},
    {"MPI_Irecv", (void **)&mpi.irecv},
    {"MPI_Test", (void **)&mpi.test},
    {"MPI_Get_count", (void **)&mpi.get_count},
    {"ompi_mpi_comm_world", &mpi.world},
    {"ompi_mpi_comm_null", &mpi.null_comm},
    {"ompi_mpi_byte", &mpi.byte},
    {"ompi_mpi_float", &mpi.floating},
    {"ompi_mpi_op_sum", &mpi.sum},
    {"ompi_mpi_errors_return", &mpi.errors_return},
};

static char failure[512];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  // Its plug-ins look for the library's symbols among the global ones.
  void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!library) library = dlopen("libmpi.so", RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    const char *reason = dlerror();
    snprintf(failure, sizeof failure, "%s", reason ? reason : "libmpi.so.40 cannot be opened");
    return;
  }
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].place = dlsym(library, symbols[i].name);
    if (!*symbols[i].place) {
      snprintf(failure, sizeof failure, "libmpi is not Open MPI: it has no %s", symbols[i].name);
      return;
    }
  }
}

const char *pmpi_load(void) {
  pthread_once(&once, load);
  return failure[0] ? failure : NULL;
}

void pmpi_error(int code, char text[256]) {
  char words[1024];
  int length = 0;
  if (mpi.error_string(code, words, &length) != 0) snprintf(words, sizeof words, "MPI's error %d", code);
  words[sizeof words - 1] = 0;
  snprintf(text, 256, "%.255s", words);
}

int pmpi_init(int *level) { return mpi.init_thread(NULL, NULL, THREAD_MULTIPLE, level); }
int pmpi_finalize(void) { return mpi.finalize(); }
void pmpi_abort(int code) { mpi.abort(mpi.world, code); }

int pmpi_duplicate(pmpi_comm comm, pmpi_comm *copy) {
  int code = mpi.comm_dup(comm, copy);
  return code ? code : mpi.comm_set_errhandler(*copy, mpi.errors_return);
}

int pmpi_world(pmpi_comm *comm) { return pmpi_duplicate(mpi.world, comm); }

int pmpi_rank(pmpi_comm comm, int *rank, int *size) {
  int code = mpi.comm_rank(comm, rank);
  return code ? code : mpi.comm_size(comm, size);
}

int pmpi_split(pmpi_comm comm, int color, int key, pmpi_comm *group) {
  int code = mpi.comm_split(comm, color < 0 ? UNDEFINED : color, key, group);
  if (code) return code;
  if (*group == mpi.null_comm) {
    *group = NULL;
    return 0;
  }
  return mpi.comm_set_errhandler(*group, mpi.errors_return);
}

int pmpi_free(pmpi_comm comm) { return mpi.comm_free(&comm); }

int pmpi_gather_all(const void *source, void *destination, int bytes, pmpi_comm comm) {
  return mpi.allgather(source, bytes, mpi.byte, destination, bytes, mpi.byte, comm);
}

int pmpi_start_send(const void *source, int bytes, int peer, int tag, pmpi_comm comm, pmpi_request *request) {
  return mpi.isend(source, bytes, mpi.byte, peer, tag, comm, request);
}

int pmpi_start_receive(void *destination, int bytes, int peer, int tag, pmpi_comm comm, pmpi_request *request) {
  return mpi.irecv(destination, bytes, mpi.byte, peer, tag, comm, request);
}

int pmpi_test(pmpi_request *request, bool *done, int *received) {
  status state;
  memset(&state, 0, sizeof state);
  int flag = 0;
  int code = mpi.test(request, &flag, &state);
  *done = flag;
  if (code || !flag) return code;
  return mpi.get_count(&state, mpi.byte, received);
}

int pmpi_plain_all_reduce(float *buffer, int count, pmpi_comm comm) {
  return mpi.allreduce(IN_PLACE, buffer, count, mpi.floating, mpi.sum, comm);
}
