#include "native/probe/timer.h"

#include <time.h>

namespace hone {

uint64_t read_monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

double TickRate::ns_per_tick() const {
#if defined(__aarch64__)
  uint64_t hertz;
  __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
  if (hertz > 0) return 1e9 / static_cast<double>(hertz);
#endif
  uint64_t ns = read_monotonic_ns();
  while (ns - first_ns_ < 1000000) ns = read_monotonic_ns();
  const uint64_t ticks = read_ticks();
  return ticks == first_ticks_
             ? 1.0
             : static_cast<double>(ns - first_ns_) / static_cast<double>(ticks - first_ticks_);
}

}  // namespace hone
