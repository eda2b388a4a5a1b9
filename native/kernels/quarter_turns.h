#pragma once
#include <cstdint>

namespace hone {
namespace {

/// An angle as quarter turns and the rest: x = n * pi / 2 + r, |r| <= pi / 4 but for rounding.
struct QuarterTurns {
  float r;
  int32_t n;  ///< modulo 4
};

/// The same for any finite x >= 1: a product in fixed point with the bits of 2 / pi that make a difference
/// (Payne and Hanek 1983). Infinities and NaN give NaN.
inline QuarterTurns count_quarter_turns(float x) {
  // A word of zeros, then 2 / pi.
  static constexpr uint32_t kTwoOverPi[] = {0,           0xA2F9836Eu, 0x4E441529u, 0xFC2757D1u,
                                            0xF534DDC0u, 0xDB629599u, 0x3C439041u, 0xFE5163ABu};
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  const int exponent = static_cast<int>(bits >> 23 & 255);
  if (exponent == 255) return {x - x, 0};
  const uint64_t mantissa = (bits & 0x7FFFFFu) | 0x800000u;
  // x = mantissa * 2^(exponent - 150): bits of 2 / pi in front of this one give multiples of four turns.
  const int first = 32 + (exponent - 150) - 2;
  const uint32_t* words = kTwoOverPi + first / 32;
  const int shift = first % 32;
  const auto word = [&](int i) {
    return static_cast<uint64_t>(shift == 0 ? words[i] : words[i] << shift | words[i + 1] >> (32 - shift));
  };
  // In units of 2^-62 quarter turns, modulo 4 of them.
  const uint64_t product = (mantissa * word(0) << 32) + mantissa * word(1) + (mantissa * word(2) >> 32);
  const uint64_t n = (product + (uint64_t{1} << 61)) >> 62;
  const auto rest = static_cast<int64_t>(product - (n << 62));
  constexpr double kUnit = 0x1.921fb54442d18p-62;  // pi / 2 * 2^-62
  return {static_cast<float>(static_cast<double>(rest) * kUnit), static_cast<int32_t>(n)};
}

}  // namespace
}  // namespace hone
