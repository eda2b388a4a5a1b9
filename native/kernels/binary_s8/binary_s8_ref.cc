#include <cmath>

#include "native/kernels/binary_ref.h"
#include "native/kernels/binary_s8/binary_s8.h"

namespace hone {

void binary_s8_ref(const BinaryS8Args& args, const Tile& tile) {
  const AddScales& scales = args.scales;
  const OutputRange& range = args.range;
  for (int64_t i = tile.begin; i < tile.end; i++) {
    const float a = static_cast<float>(args.a[i] - scales.a_zero_point) * scales.a_scale;
    const float b = static_cast<float>(args.b[i % args.b_count] - scales.b_zero_point) * scales.b_scale;
    float v = apply(args.operation, a, b) / scales.out_scale;
    v = v > range.lo ? v : range.lo;
    v = v < range.hi ? v : range.hi;
    args.y[i] = static_cast<int8_t>(static_cast<int32_t>(std::nearbyintf(v)) + range.zero_point);
  }
}

}  // namespace hone
