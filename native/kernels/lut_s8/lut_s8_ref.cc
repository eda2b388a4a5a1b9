#include "native/kernels/lut_s8/lut_s8.h"
#include "native/kernels/row_parts.h"

namespace hone {

void lut_s8_ref(const LutS8Args& args, const Tile& tile) {
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    const uint8_t* x = args.x + row * args.x_stride;
    uint8_t* y = args.y + row * args.y_stride;
    for (int64_t i = begin; i < end; i++) y[i] = args.table[x[i]];
  });
}

}  // namespace hone
