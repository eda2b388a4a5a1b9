// want model.plan: opens a plan and asks for its nodes while every allocation fails after the first n, for n
// from 0 until all goes well. Prints how often E_MEMORY was the answer; ends with 1 when there was another.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hone.h"

/// Allocations that still succeed; negative: all.
static long allowance = -1;

void* __libc_malloc(size_t size);

/// Takes the place of the C library's, for operator new too.
void* malloc(size_t size) {
  if (allowance == 0) return NULL;
  if (allowance > 0) --allowance;
  return __libc_malloc(size);
}

/// Whether this went well; anything but well and E_MEMORY ends the program.
static int went_well(int result, const hone_error* error) {
  allowance = -1;
  if (result == 0) return 1;
  if (strcmp(error->code, "E_MEMORY") == 0 && strncmp(error->message, "not enough memory: ", 19) == 0)
    return 0;
  printf("%s: %s\n", error->code, error->message);
  exit(1);
}

int main(int count, char** words) {
  if (count != 2) return 2;
  hone_error error;
  hone_session* session = NULL;
  hone_node node = HONE_NODE_INIT;
  long opening = -1, asking = -1;
  do {
    allowance = ++opening;
  } while (!went_well(hone_open_file(words[1], NULL, &session, &error), &error));
  do {
    allowance = ++asking;
  } while (!went_well(hone_get_node(session, 0, &node, &error), &error));
  printf("%ld %ld %s\n", opening, asking, node.name);
  hone_close(&session);
  return 0;
}
