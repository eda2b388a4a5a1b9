#pragma once
#include <cstdint>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <cfenv>
#endif

namespace hone {

/// As long as one lives, this thread rounds to nearest even and keeps denormals, whatever the rest of the
/// process made of its mode; the end restores that. Costs a register read where nothing has to change.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() : before_(__builtin_ia32_stmxcsr()), changed_((before_ & ~kFlags) != kDefault) {
    if (changed_) __builtin_ia32_ldmxcsr(kDefault);
  }
  ~FloatEnvironment() {
    if (changed_) __builtin_ia32_ldmxcsr(before_);
  }
#elif defined(__aarch64__)
  FloatEnvironment() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_)::"memory");
    changed_ = before_ != 0;
    if (changed_) __asm__ volatile("msr fpcr, %0" ::"r"(uint64_t{0}) : "memory");
  }
  ~FloatEnvironment() {
    if (changed_) __asm__ volatile("msr fpcr, %0" ::"r"(before_) : "memory");
  }
#else
  FloatEnvironment() : before_(std::fegetround()) { std::fesetround(FE_TONEAREST); }
  ~FloatEnvironment() { std::fesetround(before_); }
#endif
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr uint32_t kFlags = 0x3F;      ///< what happened so far: no mode
  static constexpr uint32_t kDefault = 0x1F80;  ///< nothing traps, nearest even, denormals kept
  uint32_t before_;
  bool changed_;
#elif defined(__aarch64__)
  uint64_t before_ = 0;
  bool changed_ = false;
#else
  int before_;
#endif
};

}  // namespace hone
