#include "native/kernels/gather_elements/gather_elements.h"

namespace hone {

void gather_elements_ref(const GatherElementsArgs& args, const Tile& tile);

const GatherElementsRow kGatherElementsRows[] = {
    {"gather_elements_ref", kCpuRef, gather_elements_ref},
};
const int kGatherElementsRowCount = sizeof(kGatherElementsRows) / sizeof(kGatherElementsRows[0]);

}  // namespace hone
