#include <cstring>

#include "native/kernels/gather_nd/gather_nd.h"
#include "native/kernels/indices.h"

namespace hone {

void gather_nd_ref(const GatherNdArgs& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    int64_t from = item / args.count;
    for (int d = 0; d < args.depth; d++) {
      const int64_t index = read_index(args.indices, args.index_type, item * args.depth + d);
      from = from * args.lengths[d] + find_nearest_place(index, args.lengths[d], args.out_of_range);
    }
    memcpy(args.y + item * args.slice_bytes, args.x + from * args.slice_bytes,
           static_cast<size_t>(args.slice_bytes));
  }
}

}  // namespace hone
