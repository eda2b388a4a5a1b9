#pragma once
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "native/kernels/requantize_neon.h"

// NEON half of simd.h; include that.
namespace hone {
namespace {

using VecF = float32x4_t;
using VecI = int32x4_t;
using Bytes16 = int8x16_t;
using Wide = int8x16_t;
constexpr int kLanes = 4;
constexpr int kParts = 16 / kLanes;
constexpr int kWideBytes = 16;

struct F32x16 {
  VecF v[kParts];
};

// --- float32

inline VecF splat(float x) { return vdupq_n_f32(x); }
inline VecI splat_int(int32_t x) { return vdupq_n_s32(x); }
inline VecF load(const float* p) { return vld1q_f32(p); }
inline void store(float* p, VecF x) { vst1q_f32(p, x); }
inline VecF add(VecF a, VecF b) { return vaddq_f32(a, b); }
inline VecF subtract(VecF a, VecF b) { return vsubq_f32(a, b); }
inline VecF multiply(VecF a, VecF b) { return vmulq_f32(a, b); }
inline VecF divide(VecF a, VecF b) { return vdivq_f32(a, b); }
/// a * b + c with one rounding.
inline VecF fused_multiply_add(VecF a, VecF b, VecF c) { return vfmaq_f32(c, a, b); }

/// Per lane: x > m ? x : m. A NaN in x is skipped. Not fmax: that orders the two zeros.
inline VecF greater_or(VecF x, VecF m) { return vbslq_f32(vcgtq_f32(x, m), x, m); }
/// Per lane, as extremes.h defines it.
inline VecF maximum(VecF a, VecF b) { return vmaxq_f32(a, b); }
inline VecF minimum(VecF a, VecF b) { return vminq_f32(a, b); }
/// Per lane: max(min(x, hi), lo), a NaN kept.
inline VecF clamp_keep_nan(VecF x, VecF lo, VecF hi) {
  x = vbslq_f32(vcltq_f32(hi, x), hi, x);
  return vbslq_f32(vcgtq_f32(lo, x), lo, x);
}
/// Per lane: x < limit ? 0 : value.
inline VecF zero_below(VecF x, VecF limit, VecF value) {
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value), vcltq_f32(x, limit)));
}
/// 2^n from float bits whose lowest bits hold the integer n (see exp_f32.h).
inline VecF power_of_two(VecF shifted) {
  return vreinterpretq_f32_s32(
      vaddq_s32(vshlq_n_s32(vreinterpretq_s32_f32(shifted), 23), vdupq_n_s32(127 << 23)));
}

/// First n lanes (0 < n < kLanes); the rest are 0.
inline VecF load_first(const float* p, int n) {
  VecF x = vsetq_lane_f32(p[0], vdupq_n_f32(0.0f), 0);
  if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
  if (n > 2) x = vld1q_lane_f32(p + 2, x, 2);
  return x;
}
inline void store_first(float* p, VecF x, int n) {
  vst1q_lane_f32(p, x, 0);
  if (n > 1) vst1q_lane_f32(p + 1, x, 1);
  if (n > 2) vst1q_lane_f32(p + 2, x, 2);
}

// --- comparisons, bits

using Mask = uint32x4_t;  ///< all bits of a lane, or none
inline Mask less(VecF a, VecF b) { return vcltq_f32(a, b); }
inline Mask equal(VecF a, VecF b) { return vceqq_f32(a, b); }
inline bool any(Mask m) { return vmaxvq_u32(m) != 0; }
inline VecF select(Mask m, VecF yes, VecF no) { return vbslq_f32(m, yes, no); }
inline VecF square_root(VecF x) { return vsqrtq_f32(x); }
inline VecF absolute(VecF x) { return vabsq_f32(x); }
inline VecI bits_of(VecF x) { return vreinterpretq_s32_f32(x); }
inline VecF float_of(VecI bits) { return vreinterpretq_f32_s32(bits); }
/// x with its sign changed where the sign of s is set.
inline VecF flip_sign(VecF x, VecF s) {
  return float_of(veorq_s32(bits_of(x), vandq_s32(bits_of(s), splat_int(INT32_MIN))));
}
inline VecF to_float(VecI x) { return vcvtq_f32_s32(x); }
inline VecI add_int(VecI a, VecI b) { return vaddq_s32(a, b); }
inline VecI subtract_int(VecI a, VecI b) { return vsubq_s32(a, b); }
inline VecI and_bits(VecI a, VecI b) { return vandq_s32(a, b); }
template <int kBits>
inline VecI shift_left(VecI x) {
  return vshlq_n_s32(x, kBits);
}
/// The sign comes in from above.
template <int kBits>
inline VecI shift_right(VecI x) {
  return vshrq_n_s32(x, kBits);
}
/// Lanes in which that one bit is set.
inline Mask has_bit(VecI x, int32_t bit) { return vtstq_s32(x, splat_int(bit)); }

// --- bytes

inline Bytes16 load_bytes(const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); }
inline void store_bytes(void* p, Bytes16 x) { vst1q_s8(static_cast<int8_t*>(p), x); }
inline Bytes16 splat_byte(int8_t x) { return vdupq_n_s8(x); }
inline Bytes16 maximum(Bytes16 a, Bytes16 b) { return vmaxq_s8(a, b); }
inline Bytes16 minimum(Bytes16 a, Bytes16 b) { return vminq_s8(a, b); }
inline Bytes16 bytes_of(uint64_t low, uint64_t high) {
  return vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
}
inline uint64_t low_word(Bytes16 x) { return vgetq_lane_u64(vreinterpretq_u64_s8(x), 0); }
inline uint64_t high_word(Bytes16 x) { return vgetq_lane_u64(vreinterpretq_u64_s8(x), 1); }

/// The halves of bytes, unsigned.
inline Bytes16 low_halves(Bytes16 x) { return vandq_s8(x, vdupq_n_s8(15)); }
inline Bytes16 high_halves(Bytes16 x) { return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(x), 4)); }
/// table[index], of indices below 16.
inline Bytes16 look_up(Bytes16 table, Bytes16 index) { return vqtbl1q_s8(table, vreinterpretq_u8_s8(index)); }
/// Floats of their bytes, the lowest first.
inline F32x16 join_bytes(Bytes16 a, Bytes16 b, Bytes16 c, Bytes16 d) {
  const int16x8_t low = vreinterpretq_s16_s8(vzip1q_s8(a, b)),
                  low_high = vreinterpretq_s16_s8(vzip2q_s8(a, b));
  const int16x8_t high = vreinterpretq_s16_s8(vzip1q_s8(c, d)),
                  high_high = vreinterpretq_s16_s8(vzip2q_s8(c, d));
  return {{vreinterpretq_f32_s16(vzip1q_s16(low, high)), vreinterpretq_f32_s16(vzip2q_s16(low, high)),
           vreinterpretq_f32_s16(vzip1q_s16(low_high, high_high)),
           vreinterpretq_f32_s16(vzip2q_s16(low_high, high_high))}};
}

inline Wide load_wide(const void* p) { return load_bytes(p); }
inline void store_wide(void* p, Wide x) { store_bytes(p, x); }
inline Wide splat_wide(int8_t x) { return splat_byte(x); }

/// An int8 zero point, in the form that to_float wants.
using ZeroPoint = Bytes16;
inline ZeroPoint splat_zero_point(int32_t x) { return splat_byte(static_cast<int8_t>(x)); }

/// float(b - zero_point), 16 lanes.
inline F32x16 to_float(Bytes16 b, ZeroPoint zero_point) {
  const int16x8_t low = vsubl_s8(vget_low_s8(b), vget_low_s8(zero_point)),
                  high = vsubl_high_s8(b, zero_point);
  return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_high_s16(low)),
           vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_high_s16(high))}};
}

using Range = NeonRange;

/// rne(clamp(x, lo, hi)) + zero_point as bytes; a NaN becomes lo. x must come from arithmetic (see
/// round_clamped).
inline Bytes16 quantize(const F32x16& x, const Range& range) {
  return narrow16(round_clamped(x.v[0], range), round_clamped(x.v[1], range), round_clamped(x.v[2], range),
                  round_clamped(x.v[3], range), range);
}

/// Sum of up to 256 vectors of bytes, in int16.
struct Sum16 {
  int16x8_t low, high;
};
inline Sum16 zero_sum() { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
inline Sum16 add_bytes(Sum16 sum, Bytes16 b) {
  return {vaddw_s8(sum.low, vget_low_s8(b)), vaddw_high_s8(sum.high, b)};
}

inline Sum16 add_sums(Sum16 a, Sum16 b) { return {vaddq_s16(a.low, b.low), vaddq_s16(a.high, b.high)}; }
inline Sum16 load_sum(const int16_t* p) { return {vld1q_s16(p), vld1q_s16(p + 8)}; }
inline void store_sum(int16_t* p, Sum16 sum) {
  vst1q_s16(p, sum.low);
  vst1q_s16(p + 8, sum.high);
}

/// Sixteen int32.
struct I32x16 {
  VecI v[kParts];
};
inline I32x16 splat_i32x16(int32_t x) { return {{splat_int(x), splat_int(x), splat_int(x), splat_int(x)}}; }
inline void widen_into(I32x16* total, Sum16 sum) {
  total->v[0] = vaddw_s16(total->v[0], vget_low_s16(sum.low));
  total->v[1] = vaddw_high_s16(total->v[1], sum.low);
  total->v[2] = vaddw_s16(total->v[2], vget_low_s16(sum.high));
  total->v[3] = vaddw_high_s16(total->v[3], sum.high);
}
inline F32x16 to_float(const I32x16& x) {
  return {{vcvtq_f32_s32(x.v[0]), vcvtq_f32_s32(x.v[1]), vcvtq_f32_s32(x.v[2]), vcvtq_f32_s32(x.v[3])}};
}

// --- sums of products of int16

/// Two steps of 16 columns, one behind the other.
struct Pairs16 {
  int16x8_t first[2], second[2];
};
inline Pairs16 load_pairs(const int16_t* p) {
  return {{vld1q_s16(p), vld1q_s16(p + 8)}, {vld1q_s16(p + 16), vld1q_s16(p + 24)}};
}
/// Bytes less a zero point, in the form that load_pairs reads.
inline void store_pairs(int16_t* p, Bytes16 first, Bytes16 second, int16_t zero_point) {
  const int16x8_t zero = vdupq_n_s16(zero_point);
  vst1q_s16(p, vsubq_s16(vmovl_s8(vget_low_s8(first)), zero));
  vst1q_s16(p + 8, vsubq_s16(vmovl_s8(vget_high_s8(first)), zero));
  vst1q_s16(p + 16, vsubq_s16(vmovl_s8(vget_low_s8(second)), zero));
  vst1q_s16(p + 24, vsubq_s16(vmovl_s8(vget_high_s8(second)), zero));
}
/// sum + x[0] * first step + x[1] * second step, where no product of |x| and a column reaches 2^30.
inline void add_products(I32x16* sum, const Pairs16& columns, const int16_t* x) {
  for (int i = 0; i < 2; i++) {
    sum->v[2 * i] = vmlal_n_s16(sum->v[2 * i], vget_low_s16(columns.first[i]), x[0]);
    sum->v[2 * i + 1] = vmlal_n_s16(sum->v[2 * i + 1], vget_high_s16(columns.first[i]), x[0]);
    sum->v[2 * i] = vmlal_n_s16(sum->v[2 * i], vget_low_s16(columns.second[i]), x[1]);
    sum->v[2 * i + 1] = vmlal_n_s16(sum->v[2 * i + 1], vget_high_s16(columns.second[i]), x[1]);
  }
}

// --- changes of layout

/// Transposes 16 rows of 16 bytes: four rounds of interleaving row i with row i + 8.
inline void transpose_bytes(Bytes16 rows[16]) {
  for (int round = 0; round < 4; round++) {
    Bytes16 next[16];
    for (int i = 0; i < 8; i++) {
      next[2 * i] = vzip1q_s8(rows[i], rows[i + 8]);
      next[2 * i + 1] = vzip2q_s8(rows[i], rows[i + 8]);
    }
    for (int i = 0; i < 16; i++) rows[i] = next[i];
  }
}

/// Transposes 4 rows of 4 words, from_stride bytes apart, into 4 rows to_stride bytes apart.
inline void transpose_words(uint8_t* to, ptrdiff_t to_stride, const uint8_t* from, ptrdiff_t from_stride) {
  int32x4_t rows[4];
  for (int i = 0; i < 4; i++) rows[i] = vreinterpretq_s32_s8(load_bytes(from + i * from_stride));
  const int64x2_t ab = vreinterpretq_s64_s32(vzip1q_s32(rows[0], rows[1]));
  const int64x2_t cd = vreinterpretq_s64_s32(vzip1q_s32(rows[2], rows[3]));
  const int64x2_t ab_high = vreinterpretq_s64_s32(vzip2q_s32(rows[0], rows[1]));
  const int64x2_t cd_high = vreinterpretq_s64_s32(vzip2q_s32(rows[2], rows[3]));
  store_bytes(to, vreinterpretq_s8_s64(vzip1q_s64(ab, cd)));
  store_bytes(to + to_stride, vreinterpretq_s8_s64(vzip2q_s64(ab, cd)));
  store_bytes(to + 2 * to_stride, vreinterpretq_s8_s64(vzip1q_s64(ab_high, cd_high)));
  store_bytes(to + 3 * to_stride, vreinterpretq_s8_s64(vzip2q_s64(ab_high, cd_high)));
}

/// Writes a0 b0 c0 a1 b1 c1 ...: 48 bytes.
inline void interleave_3(void* to, Bytes16 a, Bytes16 b, Bytes16 c) {
  vst3q_s8(static_cast<int8_t*>(to), int8x16x3_t{{a, b, c}});
}

/// Inverse of interleave_3: reads 48 bytes.
inline void deinterleave_3(const void* from, Bytes16* a, Bytes16* b, Bytes16* c) {
  const int8x16x3_t x = vld3q_s8(static_cast<const int8_t*>(from));
  *a = x.val[0];
  *b = x.val[1];
  *c = x.val[2];
}

}  // namespace
}  // namespace hone
