#pragma once
#include <cstdint>

// Hone's exp on float32, for arguments up to 0: constants, and the scalar form that the vector forms repeat.
//   shifted = fl(fl(x * kLog2E) + kExpShifter)    its lowest bits hold n = rne(x / ln 2)
//   n       = fl(shifted - kExpShifter)
//   r       = fl(fl(x - fl(n * kLn2High)) - fl(n * kLn2Low))     |r| <= ln 2 / 2
//   exp(x)  = fl(p(r) * 2^n), p in Horner form with coefficients kExp6 ... kExp2, 1, 1
// Every operation is rounded once; nothing is fused. Arguments below kExpLowest give 0, a NaN stays.
namespace hone {
namespace {

constexpr float kExpLowest = -87.3f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kExpShifter = 0x1.8p+23f;    // adding it rounds to an integer, ties to even
constexpr float kLn2High = 0x1.63p-1f;       // 9 bits: n * kLn2High is exact
constexpr float kLn2Low = -0x1.bd0106p-13f;  // ln 2 - kLn2High
// Minimax fit of (exp(r) - 1 - r) / r^2, weighted for relative error of exp: 3.1e-9 before rounding of
// coefficients.
constexpr float kExp2 = 0x1.fffffcp-2f;
constexpr float kExp3 = 0x1.555492p-3f;
constexpr float kExp4 = 0x1.5558f2p-5f;
constexpr float kExp5 = 0x1.123a20p-7f;
constexpr float kExp6 = 0x1.6a23d0p-10f;

/// exp(x) for x <= 0 or NaN; within 2 ulp for x >= kExpLowest.
inline float exp_f32(float x) {
  if (x < kExpLowest) return 0.0f;
  const float shifted = x * kLog2E + kExpShifter;
  const float n = shifted - kExpShifter;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = kExp6;
  p = p * r + kExp5;
  p = p * r + kExp4;
  p = p * r + kExp3;
  p = p * r + kExp2;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &shifted, 4);
  bits = (bits << 23) + (127u << 23);
  float power;
  __builtin_memcpy(&power, &bits, 4);
  return p * power;
}

}  // namespace
}  // namespace hone
