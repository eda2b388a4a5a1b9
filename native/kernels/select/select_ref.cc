#include "native/kernels/select/select_loops.h"
#include "native/kernels/select/select_rows.h"

namespace hone {

void select_ref(const SelectArgs& args, const Tile& tile) { select_tile(args, tile); }

}  // namespace hone
