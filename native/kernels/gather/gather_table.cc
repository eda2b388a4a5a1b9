#include "native/kernels/gather/gather.h"

namespace hone {

void gather_ref(const GatherArgs& args, const Tile& tile);

const GatherRow kGatherRows[] = {
    {"gather_ref", kCpuRef, gather_ref},
};
const int kGatherRowCount = sizeof(kGatherRows) / sizeof(kGatherRows[0]);

}  // namespace hone
