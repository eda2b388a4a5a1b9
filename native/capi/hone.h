#ifndef HONE_H
#define HONE_H

/// The C API of Hone's engine: opens a plan that `hone compile` wrote, runs it, tells what it cost. Plain
/// C99, also C++. Link with -lhone; docs/c-api.md shows how, example.c is a whole program.
///
/// Results. Functions that can fail return 0 when they did what was asked, and another number when they did
/// not: then `error`, unless null, says why, and nothing has changed. No C++ exception leaves the library,
/// and it never prints.
///
/// Threads. Calls with the same session must not overlap; any number of threads may call at once, each with a
/// session of its own. Sessions of the same plan share its bytes and packed weights. One pool of threads
/// serves the process: while one session computes with it, others compute in the thread that called them, to
/// the same results. A child of fork() may use and open sessions, which compute in one thread there.
///
/// Compatibility. Programs keep working with later libraries of the same HONE_ABI_VERSION: functions are only
/// added, and structs grow at their end, which is why each begins with its size as the program knows it.

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define HONE_API __attribute__((visibility("default")))
#else
#define HONE_API
#endif

/* NOLINTBEGIN(readability-identifier-naming,modernize-*): names and forms of C */

#ifdef __cplusplus
extern "C" {
#endif

/// Version of this interface; hone_abi_version() returns that of the library.
#define HONE_ABI_VERSION 1

/// Most dimensions of an input or output.
#define HONE_MAX_RANK 8

/// One variant of a plan, ready to run.
typedef struct hone_session hone_session;

/// Why a function failed; empty texts when it did not. Give it to the next function as it is.
typedef struct hone_error {
  char code[32];      ///< a code of docs/errors.md, such as "E_PLAN_FORMAT"; stable
  char message[992];  ///< what was expected and found, and what to do; UTF-8, may change
} hone_error;

/// Types of elements. Memory has them in the byte order of the machine.
enum {
  HONE_FLOAT32 = 0,
  HONE_INT8 = 1,
  HONE_UINT8 = 2,
  HONE_INT32 = 3,
  HONE_INT64 = 4,
  HONE_BOOL = 5,    ///< one byte, 0 or 1
  HONE_FLOAT16 = 6  ///< IEEE 754 binary16
};

/// How to run a plan. Begin with HONE_OPTIONS_INIT: the defaults.
typedef struct hone_options {
  size_t size;             ///< sizeof(hone_options)
  int32_t threads;         ///< threads that one run may use, 1 to 64; default 1. Results do not depend on it.
  uint32_t variant;        ///< number of the shape variant; default 0
  uint32_t profile_every;  ///< times every k-th run, node by node; default 0: none
  const char* cpu;  ///< instruction sets that kernels may use, such as "avx2" or "ref"; "": all of this CPU;
                    ///< default null: the environment variable HONE_CPU, else all
  const char* cache;  ///< folder where weights in the layout of the kernels are kept, so that later processes
                      ///< map them instead of packing; "": nowhere; default null: the environment variable
                      ///< HONE_CACHE, else nowhere. Without it everything works, and opening takes longer.
} hone_options;
#define HONE_OPTIONS_INIT {sizeof(hone_options), 1, 0, 0, NULL, NULL}

/// What a session is and what it takes. Texts live until hone_close.
typedef struct hone_info {
  size_t size;             ///< sizeof(hone_info)
  size_t inputs;           ///< number of inputs
  size_t outputs;          ///< number of outputs
  size_t nodes;            ///< number of nodes, for hone_get_node
  size_t variants;         ///< number of shape variants of the plan
  const char* variant;     ///< name of the one that is open
  const char* cpu;         ///< instruction sets that its kernels may use, comma-separated
  int32_t threads;         ///< as asked for
  uint64_t plan_bytes;     ///< the plan; its weights are mapped when it was opened by path
  uint64_t packed_bytes;   ///< weights in the layout of the kernels, shared between sessions of the plan
  uint64_t arena_bytes;    ///< intermediate tensors
  uint64_t state_bytes;    ///< tensors kept between runs
  uint64_t scratch_bytes;  ///< working memory of kernels, over all threads
  uint64_t cached_bytes;   ///< of packed_bytes, what lies in a mapped cache file
  double load_ns;          ///< time that opening took
} hone_info;
#define HONE_INFO_INIT {sizeof(hone_info), 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0}

/// An input or output. Texts live until hone_close.
typedef struct hone_port {
  size_t size;                  ///< sizeof(hone_port)
  const char* name;             ///< as in the ONNX model; UTF-8
  int32_t type;                 ///< HONE_FLOAT32, ...
  uint32_t rank;                ///< number of dims
  int64_t dims[HONE_MAX_RANK];  ///< extents in the order of the ONNX model; of one that runs decide, the most
  size_t bytes;  ///< size of the buffer to bind: elements follow each other, the last dim fastest
} hone_port;
#define HONE_PORT_INIT {sizeof(hone_port), NULL, 0, 0, {0}, 0}

/// What one node cost. Texts live until hone_close.
typedef struct hone_node {
  size_t size;         ///< sizeof(hone_node)
  const char* name;    ///< name of the ONNX node, or of several joined by '+'
  const char* op;      ///< operation of the engine, such as "conv_s8"
  const char* kernel;  ///< kernel that computes it, such as "conv_s8_neon_dotprod"
  int32_t threads;     ///< threads that take part
  uint64_t runs;       ///< runs that were timed; 0 without profile_every
  double mean_ns;      ///< mean time over them; 0 without any
  double least_ns;     ///< least time; 0 without any
} hone_node;
#define HONE_NODE_INIT {sizeof(hone_node), NULL, NULL, NULL, 0, 0, 0, 0}

/// HONE_ABI_VERSION of the library. Compare it with that of the header after dlopen.
HONE_API uint32_t hone_abi_version(void);
/// Version of Hone, such as "0.1.0".
HONE_API const char* hone_version(void);

/// Opens the plan at `path`; null `options`: the defaults. Its weights are mapped into memory: replace such a
/// file by rename, never in place. `*session` is for hone_close, null after a failure. E_FILE_NOT_FOUND,
/// E_PLAN_FORMAT, E_PLAN_VERSION, E_OPTION_VALUE, E_CPU_MASK, E_MEMORY, E_INTERNAL (no threads).
HONE_API int hone_open_file(const char* path, const hone_options* options, hone_session** session,
                            hone_error* error);
/// The same with a copy of `bytes`, which may be freed afterwards and need no alignment.
HONE_API int hone_open_bytes(const void* bytes, size_t size, const hone_options* options,
                             hone_session** session, hone_error* error);
/// Frees the session and sets `*session` to null, which every other function refuses with E_SESSION_CLOSED.
/// Closing null does nothing.
HONE_API void hone_close(hone_session** session);

/// Fills `*info`. E_SESSION_CLOSED, E_OPTION_VALUE (size).
HONE_API int hone_get_info(const hone_session* session, hone_info* info, hone_error* error);
/// Fills `*port` with input `index`, from 0. E_SESSION_CLOSED, E_OPTION_VALUE (index, size).
HONE_API int hone_get_input(const hone_session* session, size_t index, hone_port* port, hone_error* error);
/// The same with an output.
HONE_API int hone_get_output(const hone_session* session, size_t index, hone_port* port, hone_error* error);

/// Gives the memory that runs read input `index` from, until another is bound. It must stay there until then,
/// and not change during a run. `bytes` is its size, hone_port.bytes exactly; its address a multiple of the
/// element's size. E_SESSION_CLOSED, E_OPTION_VALUE (index, null), E_INPUT_LENGTH, E_INPUT_TYPE (alignment).
HONE_API int hone_bind_input(hone_session* session, size_t index, const void* data, size_t bytes,
                             hone_error* error);
/// Gives the memory that runs write output `index` to. It may overlap no other memory bound, which the next
/// run checks. E_SESSION_CLOSED, E_OPTION_VALUE (index, null), E_OUTPUT_LENGTH, E_OUTPUT_TYPE (alignment).
HONE_API int hone_bind_output(hone_session* session, size_t index, void* data, size_t bytes,
                              hone_error* error);

/// One inference over the memory bound, done when it returns. Allocates nothing. E_SESSION_CLOSED;
/// E_INPUT_LENGTH, E_OUTPUT_LENGTH (nothing bound), E_OUTPUT_OVERLAP; E_INPUT_INDEX (an index in an input is
/// beyond what it looks up), E_BRANCH_LEFT_OUT (the plan was compiled without the branch that an If takes):
/// then outputs mean nothing.
HONE_API int hone_run(hone_session* session, hone_error* error);
/// Fills `dims` with the extents that output `index` had in the last run, 0 behind its rank. They are those
/// of its port, but the one that runs decide (boxes that a NonMaxSuppression found); its elements stand at
/// the start of the memory bound, as those of a tensor of these extents. E_SESSION_CLOSED, E_OPTION_VALUE
/// (index, null).
HONE_API int hone_get_output_dims(const hone_session* session, size_t index, int64_t dims[HONE_MAX_RANK],
                                  hone_error* error);
/// Puts tensors that are kept between runs back to zero, as after opening. E_SESSION_CLOSED.
HONE_API int hone_reset(hone_session* session, hone_error* error);
/// Fills `*node` with the node at place `index` of the order of execution and what it cost so far.
/// E_SESSION_CLOSED, E_OPTION_VALUE (index, size), E_MEMORY.
HONE_API int hone_get_node(hone_session* session, size_t index, hone_node* node, hone_error* error);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-*) */

#endif
