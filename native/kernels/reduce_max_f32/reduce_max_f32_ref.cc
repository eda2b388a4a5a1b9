#include "native/kernels/extremes.h"
#include "native/kernels/reduce_max_f32/reduce_max_f32.h"
#include "native/kernels/reduce_ref.h"

namespace hone {

void reduce_max_f32_ref(const ReduceMaxF32Args& args, const Tile& tile) {
  reduce_ref(args, tile, [](float a, float b) { return maximum(a, b); });
}

}  // namespace hone
