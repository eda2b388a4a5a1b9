#include <cstring>

#include "native/kernels/gather/gather.h"
#include "native/kernels/indices.h"
#include "native/kernels/typed.h"

namespace hone {
namespace {

/// copy(to, from) moves a slice.
template <typename Index, typename Copy>
void gather_slices(const GatherArgs& args, const Tile& tile, const Copy& copy) {
  const Index* const indices = static_cast<const Index*>(args.indices);
  int64_t outer = tile.begin / args.count, i = tile.begin % args.count;
  for (int64_t item = tile.begin; item < tile.end; outer++, i = 0) {
    const uint8_t* const x = args.x + outer * args.length * args.slice_bytes;
    for (; i < args.count && item < tile.end; i++, item++) {
      const int64_t place = find_nearest_place(indices[i], args.length, args.out_of_range);
      copy(args.y + item * args.slice_bytes, x + place * args.slice_bytes);
    }
  }
}

template <typename Index>
void gather_slices(const GatherArgs& args, const Tile& tile) {
  const auto bytes = static_cast<size_t>(args.slice_bytes);
  // A slice of one element is an instruction, not a call.
  if (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8)
    return with_bytes(static_cast<int32_t>(bytes), [&](auto element) {
      gather_slices<Index>(args, tile,
                           [](uint8_t* to, const uint8_t* from) { memcpy(to, from, sizeof(element)); });
    });
  gather_slices<Index>(args, tile, [&](uint8_t* to, const uint8_t* from) { memcpy(to, from, bytes); });
}

}  // namespace

void gather_ref(const GatherArgs& args, const Tile& tile) {
  if (args.index_type == ElementType::kInt64) return gather_slices<int64_t>(args, tile);
  gather_slices<int32_t>(args, tile);
}

}  // namespace hone
