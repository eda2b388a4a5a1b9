#include "native/kernels/gather_nd/gather_nd.h"

namespace hone {

void gather_nd_ref(const GatherNdArgs& args, const Tile& tile);

const GatherNdRow kGatherNdRows[] = {
    {"gather_nd_ref", kCpuRef, gather_nd_ref},
};
const int kGatherNdRowCount = sizeof(kGatherNdRows) / sizeof(kGatherNdRows[0]);

}  // namespace hone
