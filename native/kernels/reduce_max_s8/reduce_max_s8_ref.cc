#include "native/kernels/extremes.h"
#include "native/kernels/reduce_max_s8/reduce_max_s8.h"
#include "native/kernels/reduce_ref.h"

namespace hone {

void reduce_max_s8_ref(const ReduceMaxS8Args& args, const Tile& tile) {
  reduce_ref(args, tile, [](int8_t a, int8_t b) { return maximum(a, b); });
}

}  // namespace hone
