#include <cstring>

#include "native/kernels/fill/fill.h"

namespace hone {

void fill_ref(const FillArgs& args, const Tile& tile) {
  uint8_t* y = args.y;
  const uint32_t value =
      args.value;  // a copy: y may hold anything, args included, as far as the compiler knows
  if (args.element_bytes == 1) {
    memset(y + tile.begin, static_cast<int>(value & 255), static_cast<size_t>(tile.end - tile.begin));
  } else {
    for (int64_t i = tile.begin; i < tile.end; i++) memcpy(y + 4 * i, &value, 4);
  }
}

}  // namespace hone
