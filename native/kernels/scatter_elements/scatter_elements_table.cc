#include "native/kernels/scatter_elements/scatter_elements.h"

namespace hone {

void scatter_elements_ref(const ScatterElementsArgs& args, const Tile& tile);

const ScatterElementsRow kScatterElementsRows[] = {
    {"scatter_elements_ref", kCpuRef, scatter_elements_ref},
};
const int kScatterElementsRowCount = sizeof(kScatterElementsRows) / sizeof(kScatterElementsRows[0]);

}  // namespace hone
