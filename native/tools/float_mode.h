#pragma once
#include <cfenv>
#include <cstdint>

namespace hone {

/// How a thread's floating-point unit rounds and whether it takes denormals for zero, as the register has it.
using FloatMode = uint64_t;

#if defined(__x86_64__)
inline FloatMode float_mode() { return __builtin_ia32_stmxcsr() & ~0x3Fu; }  // without what happened so far
inline void set_float_mode(FloatMode mode) { __builtin_ia32_ldmxcsr(static_cast<uint32_t>(mode)); }
/// Upward, downward, towards zero, denormals to zero in and out, and that together with upward.
inline constexpr FloatMode kOtherModes[] = {0x5F80, 0x3F80, 0x7F80, 0x9FC0, 0xDFC0};
#elif defined(__aarch64__)
inline FloatMode float_mode() {
  FloatMode mode = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode)::"memory");
  return mode;
}
inline void set_float_mode(FloatMode mode) { __asm__ volatile("msr fpcr, %0" ::"r"(mode) : "memory"); }
inline constexpr FloatMode kOtherModes[] = {1u << 22, 2u << 22, 3u << 22, 1u << 24, 5u << 22};
#else
inline FloatMode float_mode() { return static_cast<FloatMode>(std::fegetround()); }
inline void set_float_mode(FloatMode mode) { std::fesetround(static_cast<int>(mode)); }
inline constexpr FloatMode kOtherModes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
#endif

}  // namespace hone
