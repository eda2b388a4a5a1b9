#include <type_traits>

#include "native/kernels/non_zero/non_zero.h"
#include "native/kernels/typed.h"

namespace hone {
namespace {

template <typename T>
void find_places(const NonZeroArgs& args, const T* x) {
  int64_t size = 1;
  for (int d = 0; d < args.rank; d++) size *= args.extents[d];
  int64_t found = 0;
  for (int64_t i = 0; i < size; i++) {
    if (x[i] == T{}) continue;
    int64_t rest = i;
    for (int d = args.rank - 1; d >= 0; d--) {
      args.y[d * size + found] = rest % args.extents[d];
      rest /= args.extents[d];
    }
    found++;
  }
  for (int d = 0; d < args.rank; d++)
    for (int64_t i = found; i < size; i++) args.y[d * size + i] = 0;
  *args.count = found;
}

}  // namespace

void non_zero_ref(const NonZeroArgs& args, const Tile& tile) {
  if (tile.begin == tile.end) return;
  with_type(args.type, [&](auto type) {
    using T = decltype(type);
    if constexpr (!std::is_same_v<T, Half>) find_places(args, static_cast<const T*>(args.x));
  });
}

}  // namespace hone
