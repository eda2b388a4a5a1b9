/// Runs a plan once and prints the largest number of its first output:
///   example model.plan input.raw...    one file of elements for each input, in their order
#include <stdio.h>
#include <stdlib.h>

#include "hone.h"

static hone_error error;

static void require(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "%s: %s %s\n", what, error.code, error.message);
  exit(1);
}

int main(int count, char** words) {
  hone_session* session;
  hone_info info = HONE_INFO_INIT;
  hone_port port = HONE_PORT_INIT;
  float* scores = NULL;
  require(count >= 2, "usage: example model.plan input.raw...");
  require(hone_open_file(words[1], NULL, &session, &error) == 0, "open");
  require(hone_get_info(session, &info, &error) == 0, "info");
  for (size_t i = 0; i < info.inputs; ++i) {
    require(hone_get_input(session, i, &port, &error) == 0, "input");
    FILE* file = fopen(i + 2 < (size_t)count ? words[i + 2] : "", "rb");
    void* data = malloc(port.bytes);
    require(file && data && fread(data, 1, port.bytes, file) == port.bytes, port.name);
    fclose(file);
    require(hone_bind_input(session, i, data, port.bytes, &error) == 0, "bind");
  }
  for (size_t i = info.outputs; i-- > 0;) {
    require(hone_get_output(session, i, &port, &error) == 0, "output");
    scores = malloc(port.bytes);
    require(scores && hone_bind_output(session, i, scores, port.bytes, &error) == 0, "bind");
  }
  require(port.type == HONE_FLOAT32, "the first output is not float32");
  require(hone_run(session, &error) == 0, "run");
  size_t best = 0;
  for (size_t i = 1; i < port.bytes / sizeof(float); ++i)
    if (scores[i] > scores[best]) best = i;
  printf("%s: the largest of %zu is number %zu: %.9g\n", port.name, port.bytes / sizeof(float), best,
         scores[best]);
  hone_close(&session);
  return 0;
}
