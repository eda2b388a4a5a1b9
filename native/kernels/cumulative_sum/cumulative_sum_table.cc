#include "native/kernels/cumulative_sum/cumulative_sum.h"

namespace hone {

void cumulative_sum_ref(const CumulativeSumArgs& args, const Tile& tile);

const CumulativeSumRow kCumulativeSumRows[] = {
    {"cumulative_sum_ref", kCpuRef, cumulative_sum_ref},
};
const int kCumulativeSumRowCount = sizeof(kCumulativeSumRows) / sizeof(kCumulativeSumRows[0]);

}  // namespace hone
