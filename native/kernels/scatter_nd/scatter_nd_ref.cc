#include "native/kernels/indices.h"
#include "native/kernels/scatter_combine.h"
#include "native/kernels/scatter_nd/scatter_nd.h"

namespace hone {

void scatter_nd_ref(const ScatterNdArgs& args, const Tile&) {
  copy_all(args);
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    for (int64_t item = 0; item < args.count; item++) {
      int64_t slice = 0;
      for (int d = 0; d < args.depth && slice >= 0; d++) {
        const int64_t index = read_index(args.indices, args.index_type, item * args.depth + d);
        const int64_t place = find_place(index, args.lengths[d], args.out_of_range);
        slice = place < 0 ? -1 : slice * args.lengths[d] + place;
      }
      if (slice < 0) continue;
      T* const y = static_cast<T*>(args.y) + slice * args.slice;
      const T* const updates = static_cast<const T*>(args.updates) + item * args.slice;
      for (int64_t i = 0; i < args.slice; i++) y[i] = combine(args.combination, y[i], updates[i]);
    }
  });
}

}  // namespace hone
