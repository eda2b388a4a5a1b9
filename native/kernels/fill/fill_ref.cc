#include <cstring>

#include "native/kernels/fill/fill.h"
#include "native/kernels/row_parts.h"

namespace hone {

void fill_ref(const FillArgs& args, const Tile& tile) {
  // A copy: y may hold anything, args included, as far as the compiler knows.
  const uint32_t value = args.value;
  for_each_row_part(tile, args.length, [&](int64_t row, int64_t begin, int64_t end) {
    uint8_t* y = args.y + row * args.y_stride * args.element_bytes;
    if (args.element_bytes == 1) {
      memset(y + begin, static_cast<int>(value & 255), static_cast<size_t>(end - begin));
    } else {
      for (int64_t i = begin; i < end; i++) memcpy(y + 4 * i, &value, 4);
    }
  });
}

}  // namespace hone
