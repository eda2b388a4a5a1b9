#include "native/kernels/lut_s8/lut_s8.h"

namespace hone {

void lut_s8_ref(const LutS8Args& args, const Tile& tile) {
  for (int64_t i = tile.begin; i < tile.end; i++) args.y[i] = args.table[args.x[i]];
}

}  // namespace hone
