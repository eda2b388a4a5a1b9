// refusals lookup.plan broken.plan old.plan large.plan folder: calls with everything that the library
// refuses, and prints one line each: `call`, what, number returned, code, message; between them lines `fact`,
// what, value. lookup.plan: x float32[1,4,3] and ids int64[2] -> y float32[1,2,3] by node `embed`, z
// float32[1,4,3].
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hone.h"

static hone_error error;

static void show(const char* what, int result) {
  printf("call\t%s\t%d\t%s\t%s\n", what, result, error.code, error.message);
  memset(&error, 'x', sizeof error);
}

static void show_open(const char* what, const char* path, const hone_options* options) {
  hone_session* session = (hone_session*)&error;  // no session
  show(what, hone_open_file(path, options, &session, &error));
  if (session != NULL) hone_close(&session);
}

static void show_threads(const char* what, const char* path, int threads) {
  hone_options options = HONE_OPTIONS_INIT;
  options.threads = threads;
  show_open(what, path, &options);
}

static void openings(char** words) {
  const char* plan = words[1];
  hone_session* session = NULL;
  hone_options options = HONE_OPTIONS_INIT;
  char path[4000];

  show("no session", hone_open_file(plan, NULL, NULL, &error));
  show("no session for bytes", hone_open_bytes("", 0, NULL, NULL, &error));
  show_open("no path", NULL, NULL);
  show("no bytes", hone_open_bytes(NULL, 100, NULL, &session, &error));
  show("0 bytes", hone_open_bytes("", 0, NULL, &session, &error));
  show("other bytes", hone_open_bytes("not a plan", 10, NULL, &session, &error));
  show_open("missing file", "/nowhere/model.plan", NULL);
  show_open("folder", words[5], NULL);
  show_open("broken plan", words[2], NULL);
  show_open("plan of another version", words[3], NULL);
  // Letters of two bytes: one of these paths is cut within a letter.
  for (size_t i = 0; i + 1 < sizeof path; ++i) path[i] = "\xC3\xA9"[i % 2];
  path[3998] = path[3999] = '\0';
  show_open("long path", path, NULL);
  memmove(path + 1, path, 3997);
  path[0] = '/';
  show_open("long path, one byte further", path, NULL);

  show_threads("0 threads", plan, 0);
  show_threads("65 threads", plan, 65);
  show_threads("1000 threads", plan, 1000);
  show_threads("-1 threads", plan, -1);
  options.variant = 1;
  show_open("variant 1", plan, &options);
  options.variant = 0;
  options.cpu = "sse9";
  show_open("cpu sse9", plan, &options);
  options.cpu = NULL;
  options.size = 0;
  show_open("options without size", plan, &options);
  struct {
    hone_options known;
    size_t added;  // no padding behind it, whose bytes nobody sets
  } later = {HONE_OPTIONS_INIT, 0};
  later.known.size = sizeof later;
  show_open("later options unset", plan, &later.known);
  later.added = 1;
  show_open("later options set", plan, &later.known);

  struct rlimit limit, before;
  getrlimit(RLIMIT_AS, &before);
  limit = before;
  limit.rlim_cur = (rlim_t)1 << 30;
  setrlimit(RLIMIT_AS, &limit);
  show_open("a plan larger than memory", words[4], NULL);
  setrlimit(RLIMIT_AS, &before);
}

static void closed(void) {
  hone_session* session = NULL;
  hone_info info = HONE_INFO_INIT;
  hone_port port = HONE_PORT_INIT;
  hone_node node = HONE_NODE_INIT;
  char byte = 0;
  hone_close(NULL);
  hone_close(&session);
  show("closed: info", hone_get_info(session, &info, &error));
  show("closed: input", hone_get_input(session, 0, &port, &error));
  show("closed: output", hone_get_output(session, 0, &port, &error));
  show("closed: bind input", hone_bind_input(session, 0, &byte, 1, &error));
  show("closed: bind output", hone_bind_output(session, 0, &byte, 1, &error));
  show("closed: run", hone_run(session, &error));
  int64_t dims[HONE_MAX_RANK];
  show("closed: dims", hone_get_output_dims(session, 0, dims, &error));
  show("closed: reset", hone_reset(session, &error));
  show("closed: node", hone_get_node(session, 0, &node, &error));
  show("closed: index", hone_get_input(session, 7, NULL, &error));
  printf("fact\twithout error\t%d\n", hone_run(session, NULL));
}

static void structs(hone_session* session) {
  hone_info info = HONE_INFO_INIT;
  hone_node node = HONE_NODE_INIT;
  struct {
    hone_port known;
    int added;
  } later = {HONE_PORT_INIT, 1};
  show("no info", hone_get_info(session, NULL, &error));
  info.size = offsetof(hone_info, scratch_bytes);
  show("small info", hone_get_info(session, &info, &error));
  info.size = offsetof(hone_info, cached_bytes);
  show("info of the first library", hone_get_info(session, &info, &error));
  show("no port", hone_get_input(session, 0, NULL, &error));
  later.known.size = 0;
  show("port without size", hone_get_output(session, 0, &later.known, &error));
  later.known.size = sizeof later;
  show("later port", hone_get_input(session, 0, &later.known, &error));
  printf("fact\tlater port\t%s %d\n", later.known.name, later.added);
  show("no node", hone_get_node(session, 0, NULL, &error));
  show("input 2", hone_get_input(session, 2, &later.known, &error));
  show("input -1", hone_get_input(session, (size_t)-1, &later.known, &error));
  show("output 2", hone_get_output(session, 2, &later.known, &error));
  int64_t dims[HONE_MAX_RANK];
  show("dims 2", hone_get_output_dims(session, 2, dims, &error));
  show("no dims", hone_get_output_dims(session, 0, NULL, &error));
  show("node 2", hone_get_node(session, 2, &node, &error));
  show("node before a run", hone_get_node(session, 0, &node, &error));
  printf("fact\tnode before a run\t%s %d %g\n", node.name, (int)node.runs, node.mean_ns);
}

static void buffers(hone_session* session) {
  float x[13], y[6], z[12], together[18];
  int64_t ids[2] = {3, -4};
  for (int i = 0; i < 12; ++i) x[i] = (float)-i;
  show("run with nothing bound", hone_run(session, &error));
  show("bind input 2", hone_bind_input(session, 2, x, sizeof(float), &error));
  show("bind output 2", hone_bind_output(session, 2, x, sizeof(float), &error));
  show("bind null", hone_bind_input(session, 0, NULL, 48, &error));
  show("bind null output", hone_bind_output(session, 0, NULL, 24, &error));
  show("bind 13 elements", hone_bind_input(session, 0, x, sizeof x, &error));
  show("bind 47 bytes", hone_bind_input(session, 0, x, 47, &error));
  show("bind 11 elements of output", hone_bind_output(session, 1, z, 44, &error));
  show("bind off alignment", hone_bind_input(session, 0, (char*)x + 1, 48, &error));
  show("bind output off alignment", hone_bind_output(session, 0, (char*)x + 2, 24, &error));
  show("bind x", hone_bind_input(session, 0, x, 48, &error));
  show("bind ids", hone_bind_input(session, 1, ids, sizeof ids, &error));
  show("run without outputs", hone_run(session, &error));
  show("bind y", hone_bind_output(session, 0, y, 24, &error));
  show("bind z on x", hone_bind_output(session, 1, x, 48, &error));
  show("run with z on x", hone_run(session, &error));
  show("bind z together", hone_bind_output(session, 1, together, 48, &error));
  show("bind y together", hone_bind_output(session, 0, together + 11, 24, &error));
  show("run with y on z", hone_run(session, &error));
  show("bind y behind z", hone_bind_output(session, 0, together + 12, 24, &error));
  show("run with y behind z", hone_run(session, &error));
  show("bind z", hone_bind_output(session, 1, z, 48, &error));
  show("bind y again", hone_bind_output(session, 0, y, 24, &error));
  ids[0] = 4;
  show("run with index 4", hone_run(session, &error));
  ids[0] = 3;
  show("run", hone_run(session, &error));
  printf("fact\ty\t%g", y[0]);
  for (int i = 1; i < 6; ++i) printf(" %g", y[i]);
  printf("\nfact\tz\t%g", z[0]);
  for (int i = 1; i < 12; ++i) printf(" %g", z[i]);
  printf("\n");
}

int main(int count, char** words) {
  if (count != 6) return 2;
  openings(words);
  closed();
  hone_session* session = NULL;
  show("open", hone_open_file(words[1], NULL, &session, &error));
  structs(session);
  buffers(session);
  hone_close(&session);
  printf("fact\tclosed\t%d\n", session == NULL);
  return 0;
}
