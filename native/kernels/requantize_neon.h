#pragma once
#include <arm_neon.h>

#include "native/core/requantize.h"

// Requantization and the literal QDQ addition in NEON. Everything here has internal linkage: each file is
// compiled with its own instruction-set flags, and no copy made with more features may serve a file made with
// fewer.

namespace hone {
namespace {

/// OutputRange in registers.
struct NeonRange {
  float32x4_t lo;
  float32x4_t hi;
  int8x16_t zero_point;
};

inline NeonRange load_range(const OutputRange& range) {
  return {vdupq_n_f32(range.lo), vdupq_n_f32(range.hi), vdupq_n_s8(static_cast<int8_t>(range.zero_point))};
}

/// rne(clamp(v, lo, hi)) in units of the output scale, before the zero point. NaN gives lo: fmaxnm returns
/// the number when the other operand is a quiet NaN, and arithmetic yields no other kind.
inline int32x4_t round_clamped(float32x4_t v, const NeonRange& range) {
  return vcvtnq_s32_f32(vminnmq_f32(vmaxnmq_f32(v, range.lo), range.hi));
}

/// rne(clamp(fl(float(acc) * multiplier), lo, hi)), before the zero point.
inline int32x4_t requantize4(int32x4_t acc, float32x4_t multiplier, const NeonRange& range) {
  return round_clamped(vmulq_f32(vcvtq_f32_s32(acc), multiplier), range);
}

/// Narrows rounded values and adds the zero point. Values lie in lo..hi, so the low byte of value + zero
/// point is the int8 result and truncation is exact.
inline int8x16_t narrow16(int32x4_t r0, int32x4_t r1, int32x4_t r2, int32x4_t r3, const NeonRange& range) {
  const int16x8_t low = vuzp1q_s16(vreinterpretq_s16_s32(r0), vreinterpretq_s16_s32(r1));
  const int16x8_t high = vuzp1q_s16(vreinterpretq_s16_s32(r2), vreinterpretq_s16_s32(r3));
  return vaddq_s8(vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high)), range.zero_point);
}

inline int8x8_t narrow8(int32x4_t r0, int32x4_t r1, const NeonRange& range) {
  const int16x8_t both = vuzp1q_s16(vreinterpretq_s16_s32(r0), vreinterpretq_s16_s32(r1));
  return vadd_s8(vmovn_s16(both), vget_low_s8(range.zero_point));
}

/// AddScales in registers.
struct NeonAdd {
  float32x4_t a_scale;
  float32x4_t b_scale;
  float32x4_t out_scale;
  int8x8_t a_zero_point;
  int8x8_t b_zero_point;
};

inline NeonAdd load_add(const AddScales& add) {
  return {vdupq_n_f32(add.a_scale), vdupq_n_f32(add.b_scale), vdupq_n_f32(add.out_scale),
          vdup_n_s8(static_cast<int8_t>(add.a_zero_point)), vdup_n_s8(static_cast<int8_t>(add.b_zero_point))};
}

/// fl((q - zero_point) * scale) of four lanes that hold q - zero_point.
inline float32x4_t dequantize4(int16x4_t centered, float32x4_t scale) {
  return vmulq_f32(vcvtq_f32_s32(vmovl_s16(centered)), scale);
}

/// fl(fl(fa + fb) / out_scale), rounded and clamped; a true division, as the formula says.
inline int32x4_t add4(int16x4_t a, int16x4_t b, const NeonAdd& add, const NeonRange& range) {
  const float32x4_t sum = vaddq_f32(dequantize4(a, add.a_scale), dequantize4(b, add.b_scale));
  return round_clamped(vdivq_f32(sum, add.out_scale), range);
}

inline int8x8_t add8(int8x8_t a, int8x8_t b, const NeonAdd& add, const NeonRange& range) {
  const int16x8_t fa = vsubl_s8(a, add.a_zero_point);
  const int16x8_t fb = vsubl_s8(b, add.b_zero_point);
  return narrow8(add4(vget_low_s16(fa), vget_low_s16(fb), add, range),
                 add4(vget_high_s16(fa), vget_high_s16(fb), add, range), range);
}

inline int8x16_t add16(int8x16_t a, int8x16_t b, const NeonAdd& add, const NeonRange& range) {
  return vcombine_s8(add8(vget_low_s8(a), vget_low_s8(b), add, range),
                     add8(vget_high_s8(a), vget_high_s8(b), add, range));
}

}  // namespace
}  // namespace hone
