#pragma once
#include <cstdint>
#include <cstring>

namespace hone {
namespace {

// Every element takes the same steps, and what does not fit it is not chosen: so compilers vectorize loops
// over these.

/// Value of a half-precision number given by its bits. NaN keeps the upper bits of its payload.
inline float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7FFFu;
  // The exponent moves to its place, then to its bias: a product of powers of two, exact also for denormals.
  const uint32_t moved = magnitude << 13;
  float value;
  memcpy(&value, &moved, 4);
  value *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &value, 4);
  // Infinity and NaN are so by an exponent of ones.
  bits |= magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  bits |= sign;
  memcpy(&value, &bits, 4);
  return value;
}

/// All bits where a < b, for numbers less than 2^31 apart: a choice by bits, which no compiler makes a branch
/// of.
inline uint32_t where_less(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(static_cast<int32_t>(a - b) >> 31);
}

/// Bits of the half-precision number nearest to a float, ties to even; beyond 65504 and a half step infinity.
inline uint16_t float_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  const uint32_t sign = bits >> 16 & 0x8000u;
  bits &= 0x7FFFFFFFu;
  // Denormal halves are multiples of 2^-24: adding 1/2 puts those bits at the end of the fraction, rounded.
  float size;
  memcpy(&size, &bits, 4);
  size += 0.5f;
  uint32_t denormal;
  memcpy(&denormal, &size, 4);
  denormal -= 0x3F000000u;
  const uint32_t normal = (bits + 0xFFFu + (bits >> 13 & 1u) - 0x38000000u) >> 13;
  const uint32_t is_denormal = where_less(bits, 0x38800000u);
  const uint32_t is_beyond = where_less(0x477FFFFFu, bits);
  const uint32_t is_nan = where_less(0x7F800000u, bits);
  const uint32_t finite = (denormal & is_denormal) | (normal & ~is_denormal);
  return static_cast<uint16_t>(sign | (finite & ~is_beyond) | (0x7C00u & is_beyond) | (0x200u & is_nan));
}

}  // namespace
}  // namespace hone
