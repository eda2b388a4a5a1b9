#include "native/kernels/extremes.h"
#include "native/kernels/reduce_min_f32/reduce_min_f32.h"
#include "native/kernels/reduce_ref.h"

namespace hone {

void reduce_min_f32_ref(const ReduceMinF32Args& args, const Tile& tile) {
  reduce_ref(args, tile, [](float a, float b) { return minimum(a, b); });
}

}  // namespace hone
