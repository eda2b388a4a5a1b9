#include "native/kernels/indices.h"
#include "native/kernels/scatter_combine.h"
#include "native/kernels/scatter_elements/scatter_elements.h"

namespace hone {

void scatter_elements_ref(const ScatterElementsArgs& args, const Tile&) {
  copy_all(args);
  int64_t count = 1;
  for (int d = 0; d < args.rank; d++) count *= args.extents[d];
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    T* const y = static_cast<T*>(args.y);
    const T* const updates = static_cast<const T*>(args.updates);
    for (int64_t item = 0; item < count; item++) {
      const int64_t index = read_index(args.indices, args.index_type, item);
      const int64_t place = find_place(index, args.length, args.out_of_range);
      if (place < 0) continue;
      int64_t to = place * args.y_strides[args.axis];
      int64_t left = item;
      for (int d = args.rank - 1; d >= 0; d--) {
        if (d != args.axis) to += left % args.extents[d] * args.y_strides[d];
        left /= args.extents[d];
      }
      y[to] = combine(args.combination, y[to], updates[item]);
    }
  });
}

}  // namespace hone
