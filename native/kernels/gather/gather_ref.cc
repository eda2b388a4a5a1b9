#include <cstring>

#include "native/kernels/gather/gather.h"
#include "native/kernels/indices.h"

namespace hone {

void gather_ref(const GatherArgs& args, const Tile& tile) {
  int64_t outer = tile.begin / args.count, i = tile.begin % args.count;
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t index = read_index(args.indices, args.index_type, i);
    const int64_t place = outer * args.length + find_nearest_place(index, args.length, args.out_of_range);
    memcpy(args.y + item * args.slice_bytes, args.x + place * args.slice_bytes,
           static_cast<size_t>(args.slice_bytes));
    if (++i == args.count) {
      i = 0;
      outer++;
    }
  }
}

}  // namespace hone
