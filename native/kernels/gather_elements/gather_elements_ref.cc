#include <cstring>

#include "native/kernels/gather_elements/gather_elements.h"
#include "native/kernels/indices.h"

namespace hone {

void gather_elements_ref(const GatherElementsArgs& args, const Tile& tile) {
  for (int64_t item = tile.begin; item < tile.end; item++) {
    const int64_t index = read_index(args.indices, args.index_type, item);
    int64_t from = find_nearest_place(index, args.length, args.out_of_range) * args.x_strides[args.axis];
    int64_t left = item;
    for (int d = args.rank - 1; d >= 0; d--) {
      if (d != args.axis) from += left % args.extents[d] * args.x_strides[d];
      left /= args.extents[d];
    }
    memcpy(args.y + item * args.element_bytes, args.x + from * args.element_bytes,
           static_cast<size_t>(args.element_bytes));
  }
}

}  // namespace hone
