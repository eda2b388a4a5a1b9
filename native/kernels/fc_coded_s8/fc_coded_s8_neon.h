#pragma once
#include "native/kernels/fc_coded_s8/fc_coded_s8_blocks.h"
#include "native/kernels/requantize_neon.h"

// What the ARM rows of fc_coded_s8 share (internal linkage, see requantize_neon.h).

namespace hone {
namespace {

/// Elements of the codes in the lower halves, then in the upper ones.
struct CodedPair {
  int8x16_t low, high;
};
inline CodedPair load_pair(const uint8_t* codes, int8x16_t table) {
  const uint8x16_t both = vld1q_u8(codes);
  return {vqtbl1q_s8(table, vandq_u8(both, vdupq_n_u8(15))), vqtbl1q_s8(table, vshrq_n_u8(both, 4))};
}

inline int8x16_t load_table(const uint8_t* table) { return vreinterpretq_s8_u8(vld1q_u8(table)); }

/// Requantizes and stores the 16 sums of a row.
template <typename Element>
inline void finish_row(const CodedBlock<Element>& work, const NeonRange& range, int row,
                       const int32x4_t (&acc)[4]) {
  const float* multiplier = reinterpret_cast<const float*>(work.block + 64);
  const int8x16_t bytes = narrow16(requantize4(acc[0], vld1q_f32(multiplier), range),
                                   requantize4(acc[1], vld1q_f32(multiplier + 4), range),
                                   requantize4(acc[2], vld1q_f32(multiplier + 8), range),
                                   requantize4(acc[3], vld1q_f32(multiplier + 12), range), range);
  int8_t* y = work.y + row * work.y_stride;
  if (work.channels == 16) {
    vst1q_s8(y, bytes);
    return;
  }
  int8_t all[16];
  vst1q_s8(all, bytes);
  std::memcpy(y, all, static_cast<size_t>(work.channels));
}

}  // namespace
}  // namespace hone
