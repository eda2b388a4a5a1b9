#pragma once
#include <cstdint>

// One lane of the float half of simd.h, on any machine: `ref` rows of functions that are written once, over
// lanes, include it in place of simd.h. Here stands what each operation means, to the last bit.
namespace hone {
namespace {

using VecF = float;
using VecI = int32_t;
using Mask = bool;
constexpr int kLanes = 1;

inline VecF splat(float x) { return x; }
inline VecI splat_int(int32_t x) { return x; }
inline VecF load(const float* p) { return *p; }
inline void store(float* p, VecF x) { *p = x; }
inline VecF load_first(const float* p, int /*n*/) { return *p; }
inline void store_first(float* p, VecF x, int /*n*/) { *p = x; }
inline VecF add(VecF a, VecF b) { return a + b; }
inline VecF subtract(VecF a, VecF b) { return a - b; }
inline VecF multiply(VecF a, VecF b) { return a * b; }
inline VecF divide(VecF a, VecF b) { return a / b; }
inline VecF square_root(VecF x) { return __builtin_sqrtf(x); }
inline VecF clamp_keep_nan(VecF x, VecF lo, VecF hi) {
  x = hi < x ? hi : x;
  return lo > x ? lo : x;
}

inline Mask less(VecF a, VecF b) { return a < b; }
inline Mask equal(VecF a, VecF b) { return a == b; }
inline bool any(Mask m) { return m; }
inline VecF select(Mask m, VecF yes, VecF no) { return m ? yes : no; }
inline VecI bits_of(VecF x) {
  VecI bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}
inline VecF float_of(VecI bits) {
  VecF x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}
inline VecF to_float(VecI x) { return static_cast<float>(x); }
/// Modulo 2^32, as all integers here.
inline VecI add_int(VecI a, VecI b) {
  return static_cast<VecI>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline VecI subtract_int(VecI a, VecI b) {
  return static_cast<VecI>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}
inline VecI and_bits(VecI a, VecI b) { return a & b; }
template <int kBits>
inline VecI shift_left(VecI x) {
  return static_cast<VecI>(static_cast<uint32_t>(x) << kBits);
}
/// The sign comes in from above.
template <int kBits>
inline VecI shift_right(VecI x) {
  return x >> kBits;
}
inline Mask has_bit(VecI x, int32_t bit) { return (x & bit) != 0; }
inline VecF absolute(VecF x) { return float_of(bits_of(x) & INT32_MAX); }
/// x with its sign changed where the sign of s is set.
inline VecF flip_sign(VecF x, VecF s) { return float_of(bits_of(x) ^ (bits_of(s) & INT32_MIN)); }
/// 2^n from float bits whose lowest bits hold the integer n (see exp_f32.h).
inline VecF power_of_two(VecF shifted) {
  return float_of(add_int(shift_left<23>(bits_of(shifted)), 127 << 23));
}

}  // namespace
}  // namespace hone
