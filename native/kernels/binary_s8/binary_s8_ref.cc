#include <cmath>

#include "native/kernels/binary_ref.h"
#include "native/kernels/binary_rows.h"
#include "native/kernels/binary_s8/binary_s8.h"

namespace hone {

void binary_s8_ref(const BinaryS8Args& args, const Tile& tile) {
  const AddScales& scales = args.scales;
  const OutputRange& range = args.range;
  const auto combine = [&](int8_t* y, const int8_t* a_run, const int8_t* b_run, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
      const float a = static_cast<float>(a_run[i] - scales.a_zero_point) * scales.a_scale;
      const float b = static_cast<float>(b_run[i] - scales.b_zero_point) * scales.b_scale;
      float v = apply(args.operation, a, b) / scales.out_scale;
      v = v > range.lo ? v : range.lo;
      v = v < range.hi ? v : range.hi;
      y[i] = static_cast<int8_t>(static_cast<int32_t>(std::nearbyintf(v)) + range.zero_point);
    }
  };
  for_each_binary_run(args, args.b, args.b_count, tile, combine);
}

}  // namespace hone
