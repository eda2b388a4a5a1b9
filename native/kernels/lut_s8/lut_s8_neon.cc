#include <arm_neon.h>

#include "native/kernels/lut_s8/lut_s8.h"
#include "native/kernels/row_parts.h"

namespace hone {

void lut_s8_neon(const LutS8Args& args, const Tile& tile) {
  // Four registers hold 64 entries; tbl gives 0 and tbx keeps its destination where an index is out of range.
  uint8x16x4_t quarter[4];
  for (int i = 0; i < 4; i++) quarter[i] = vld1q_u8_x4(args.table + 64 * i);
  const uint8x16_t step = vdupq_n_u8(64);
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    const uint8_t* x = args.x + row * args.x_stride;
    uint8_t* y = args.y + row * args.y_stride;
    int64_t i = begin;
    for (; i + 16 <= end; i += 16) {
      uint8x16_t index = vld1q_u8(x + i);
      uint8x16_t value = vqtbl4q_u8(quarter[0], index);
      for (int j = 1; j < 4; j++) {
        index = vsubq_u8(index, step);
        value = vqtbx4q_u8(value, quarter[j], index);
      }
      vst1q_u8(y + i, value);
    }
    for (; i < end; i++) y[i] = args.table[x[i]];
  });
}

}  // namespace hone
