#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <time.h>
#endif

namespace hone {

/// One read of the cheapest steady counter of this machine: the time stamp counter on x86, the generic timer
/// on 64-bit Arm, else the monotonic clock. Not ordered with the instructions around it: good for spans from
/// about 100 ns.
inline uint64_t read_ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
#endif
}

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t read_monotonic_ns();

/// Tells how long a tick is, by comparing the counter with the monotonic clock since it was made.
class TickRate {
 public:
  TickRate() : first_ticks_(read_ticks()), first_ns_(read_monotonic_ns()) {}
  /// Nanoseconds per tick; waits until one millisecond has passed since construction, for accuracy.
  double ns_per_tick() const;

 private:
  uint64_t first_ticks_;
  uint64_t first_ns_;
};

}  // namespace hone
