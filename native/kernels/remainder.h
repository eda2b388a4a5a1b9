#pragma once
#include <cstdint>

namespace hone {
namespace {

/// The remainder of |x| by |y| with the sign of x, exact (C's fmod): NaN for an infinite x and a y of 0; one
/// bit of the quotient after the other.
inline float find_remainder(float x, float y) {
  constexpr uint32_t kHidden = 1u << 23, kSign = 1u << 31;
  uint32_t bits, divisor;
  __builtin_memcpy(&bits, &x, 4);
  __builtin_memcpy(&divisor, &y, 4);
  const uint32_t sign = bits & kSign;
  bits &= ~kSign;
  divisor &= ~kSign;
  constexpr uint32_t kInfinity = 0x7F800000u;
  if (bits >= kInfinity || divisor > kInfinity || divisor == 0) return __builtin_nanf("");
  if (bits < divisor) return x;
  // Subnormal numbers have the exponent of the least normal ones, without the hidden bit.
  const auto exponent_of = [](uint32_t b) { return b < kHidden ? 1 : static_cast<int>(b >> 23); };
  const auto fraction_of = [](uint32_t b) { return b < kHidden ? b : (b & (kHidden - 1)) | kHidden; };
  const int least = exponent_of(divisor);
  const uint32_t by = fraction_of(divisor);
  uint32_t rest = fraction_of(bits);
  for (int exponent = exponent_of(bits);; exponent--) {
    if (rest >= by) rest %= by;
    if (exponent == least || rest == 0) break;
    rest <<= 1;
  }
  int exponent = least;
  for (; rest != 0 && rest < kHidden && exponent > 1; exponent--) rest <<= 1;
  bits = rest < kHidden ? rest : (rest & (kHidden - 1)) | static_cast<uint32_t>(exponent) << 23;
  bits |= sign;
  float result;
  __builtin_memcpy(&result, &bits, 4);
  return result;
}

}  // namespace
}  // namespace hone
