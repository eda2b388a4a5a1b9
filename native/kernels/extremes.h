#pragma once
#include <cstdint>

namespace hone {
namespace {

// IEEE 754-2019 maximum and minimum: a NaN makes a NaN, 0 is larger than -0. The order of operands does not
// matter, so neither does the order of a reduction.

inline float maximum(float a, float b) {
  if (a != a || b != b) return a + b;
  if (a == b) return __builtin_signbit(a) ? b : a;
  return a > b ? a : b;
}
inline float minimum(float a, float b) {
  if (a != a || b != b) return a + b;
  if (a == b) return __builtin_signbit(a) ? a : b;
  return a < b ? a : b;
}

inline int8_t maximum(int8_t a, int8_t b) { return a > b ? a : b; }
inline int8_t minimum(int8_t a, int8_t b) { return a < b ? a : b; }

}  // namespace
}  // namespace hone
