#include "native/kernels/arg_extreme/arg_extreme_lines.h"

namespace hone {

void arg_extreme_ref(const ArgExtremeArgs& args, const Tile& tile) {
  with_order(args, [&](auto smallest, auto last) { find_each<smallest, last>(args, tile); });
}

}  // namespace hone
