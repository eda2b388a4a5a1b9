#include "native/kernels/extremes.h"
#include "native/kernels/reduce_min_s8/reduce_min_s8.h"
#include "native/kernels/reduce_ref.h"

namespace hone {

void reduce_min_s8_ref(const ReduceMinS8Args& args, const Tile& tile) {
  reduce_ref(args, tile, [](int8_t a, int8_t b) { return minimum(a, b); });
}

}  // namespace hone
