#include <cstring>

#include "native/kernels/fill/fill.h"

namespace hone {

void fill_ref(const FillArgs& args, const Tile& tile) {
  if (args.element_bytes == 1) {
    memset(args.y + tile.begin, static_cast<int>(args.value & 255),
           static_cast<size_t>(tile.end - tile.begin));
  } else {
    for (int64_t i = tile.begin; i < tile.end; i++) memcpy(args.y + 4 * i, &args.value, 4);
  }
}

}  // namespace hone
