#pragma once
#include <cstdint>
#include <cstring>

namespace hone {
namespace {

/// Value of a half-precision number given by its bits. NaN keeps the upper bits of its payload.
inline float half_to_float(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t magnitude = half & 0x7FFFu;
  float value;
  if (magnitude >= 0x7C00u) {
    const uint32_t bits = sign | 0x7F800000u | (magnitude & 0x3FFu) << 13;
    memcpy(&value, &bits, 4);
    return value;
  }
  // The exponent moves to its place, then to its bias: a product of powers of two, exact also for denormals.
  const uint32_t bits = magnitude << 13;
  memcpy(&value, &bits, 4);
  value *= 0x1p112f;
  uint32_t scaled;
  memcpy(&scaled, &value, 4);
  scaled |= sign;
  memcpy(&value, &scaled, 4);
  return value;
}

/// Bits of the half-precision number nearest to a float, ties to even; beyond 65504 and a half step infinity.
inline uint16_t float_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  bits &= 0x7FFFFFFFu;
  if (bits > 0x7F800000u) return static_cast<uint16_t>(sign | 0x7E00u);
  if (bits >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7C00u);
  if (bits < 0x38800000u) {
    // Denormal halves are multiples of 2^-24: adding 1/2 puts those bits at the end of the fraction, rounded.
    float size;
    memcpy(&size, &bits, 4);
    size += 0.5f;
    uint32_t rounded;
    memcpy(&rounded, &size, 4);
    return static_cast<uint16_t>(sign | (rounded - 0x3F000000u));
  }
  bits += 0xFFFu + (bits >> 13 & 1u) - 0x38000000u;
  return static_cast<uint16_t>(sign | bits >> 13);
}

}  // namespace
}  // namespace hone
