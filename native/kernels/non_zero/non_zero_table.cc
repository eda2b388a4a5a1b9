#include "native/kernels/non_zero/non_zero.h"

namespace hone {

void non_zero_ref(const NonZeroArgs& args, const Tile& tile);

const NonZeroRow kNonZeroRows[] = {
    {"non_zero_ref", kCpuRef, non_zero_ref},
};
const int kNonZeroRowCount = sizeof(kNonZeroRows) / sizeof(kNonZeroRows[0]);

}  // namespace hone
