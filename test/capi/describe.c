// describe plan threads outputs.raw input.raw...: runs a plan twice, resets it, runs it once more, and
// appends the outputs of each run to outputs.raw. Prints what the library says of it as JSON.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hone.h"

static hone_error error;

static void require(int result, const char* what) {
  if (result == 0) return;
  fprintf(stderr, "%s: %s: %s\n", what, error.code, error.message);
  exit(1);
}

static void print_port(const hone_port* port) {
  printf("{\"name\":\"%s\",\"type\":%d,\"bytes\":%zu,\"dims\":[", port->name, (int)port->type, port->bytes);
  for (uint32_t i = 0; i < port->rank; ++i) printf("%s%lld", i == 0 ? "" : ",", (long long)port->dims[i]);
  printf("]}");
}

/// The whole file, in memory that is no more aligned than it must be.
static void* read_file(const char* path, size_t* bytes) {
  FILE* file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(2);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void* data = malloc(*bytes + 1);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

int main(int count, char** words) {
  if (count < 4) return 2;
  hone_options options = HONE_OPTIONS_INIT;
  options.threads = atoi(words[2]);
  options.profile_every = 1;
  size_t bytes;
  void* plan = read_file(words[1], &bytes);
  hone_session* session = NULL;
  require(hone_open_bytes(plan, bytes, &options, &session, &error), "open");
  memset(plan, 0xAA, bytes);
  free(plan);

  hone_info info = HONE_INFO_INIT;
  require(hone_get_info(session, &info, &error), "info");
  if ((size_t)count != 4 + info.inputs) return 2;
  printf("{\"abi\":%u,\"version\":\"%s\",\"variant\":\"%s\",\"variants\":%zu,\"cpu\":\"%s\",\"threads\":%d,",
         (unsigned)hone_abi_version(), hone_version(), info.variant, info.variants, info.cpu,
         (int)info.threads);
  printf("\"memory\":{\"planBytes\":%llu,\"packedBytes\":%llu,\"arenaBytes\":%llu,\"stateBytes\":%llu,",
         (unsigned long long)info.plan_bytes, (unsigned long long)info.packed_bytes,
         (unsigned long long)info.arena_bytes, (unsigned long long)info.state_bytes);
  printf("\"scratchBytes\":%llu,\"cachedBytes\":%llu},\"isTimed\":%s,\"inputs\":[",
         (unsigned long long)info.scratch_bytes, (unsigned long long)info.cached_bytes,
         info.load_ns > 0 ? "true" : "false");

  hone_port port = HONE_PORT_INIT;
  for (size_t i = 0; i < info.inputs; ++i) {
    require(hone_get_input(session, i, &port, &error), "input");
    printf(i == 0 ? "" : ",");
    print_port(&port);
    void* data = read_file(words[4 + i], &bytes);
    require(hone_bind_input(session, i, data, bytes, &error), "bind input");
  }
  printf("],\"outputs\":[");
  void** outputs = calloc(info.outputs, sizeof(void*));
  size_t* sizes = calloc(info.outputs, sizeof(size_t));
  if (outputs == NULL || sizes == NULL) return 2;
  for (size_t i = 0; i < info.outputs; ++i) {
    require(hone_get_output(session, i, &port, &error), "output");
    printf(i == 0 ? "" : ",");
    print_port(&port);
    sizes[i] = port.bytes;
    outputs[i] = malloc(port.bytes);
    require(hone_bind_output(session, i, outputs[i], port.bytes, &error), "bind output");
  }

  // Figures follow the runs; texts stay.
  hone_node node = HONE_NODE_INIT;
  require(hone_get_node(session, 0, &node, &error), "node before a run");
  const char* name = node.name;
  if (node.runs != 0) return 2;

  FILE* file = fopen(words[3], "wb");
  if (file == NULL) return 2;
  for (int run = 0; run < 3; ++run) {
    if (run == 2) require(hone_reset(session, &error), "reset");
    require(hone_run(session, &error), "run");
    for (size_t i = 0; i < info.outputs; ++i) {
      require(hone_get_output(session, i, &port, &error), "output");
      int64_t dims[HONE_MAX_RANK];
      require(hone_get_output_dims(session, i, dims, &error), "dims");
      size_t there = sizes[i];
      for (uint32_t d = 0; d < port.rank; ++d) there = there / (size_t)port.dims[d] * (size_t)dims[d];
      fwrite(outputs[i], 1, there, file);
    }
  }
  if (fclose(file) != 0) return 2;

  printf("],\"nodes\":[");
  for (size_t i = 0; i < info.nodes; ++i) {
    require(hone_get_node(session, i, &node, &error), "node");
    if (i == 0 && node.name != name) return 2;
    printf("%s{\"name\":\"%s\",\"op\":\"%s\",\"kernel\":\"%s\",\"threads\":%d,", i == 0 ? "" : ",", node.name,
           node.op, node.kernel, (int)node.threads);
    printf("\"runs\":%llu,\"meanNs\":%.17g,\"leastNs\":%.17g}", (unsigned long long)node.runs, node.mean_ns,
           node.least_ns);
  }
  printf("]}\n");
  hone_close(&session);
  return session == NULL ? 0 : 2;
}
