#include <cstring>

#include "native/kernels/copy_nd/copy_nd.h"

namespace hone {

void copy_nd_ref(const CopyNdArgs& args, const Tile& tile) {
  int64_t count = tile.end - tile.begin;
  for (int d = 1; d < args.rank; d++) count *= args.extents[d];
  int64_t index[kCopyMaxRank] = {tile.begin};
  for (int64_t i = 0; i < count; i++) {
    uint8_t* dst = args.dst;
    const uint8_t* src = args.src;
    for (int d = 0; d < args.rank; d++) {
      dst += index[d] * args.dst_strides[d];
      src += index[d] * args.src_strides[d];
    }
    memcpy(dst, src, static_cast<size_t>(args.element_bytes));
    for (int d = args.rank - 1; d >= 0; d--) {
      if (++index[d] < args.extents[d] || d == 0) break;
      index[d] = 0;
    }
  }
}

}  // namespace hone
