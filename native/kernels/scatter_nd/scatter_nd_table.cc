#include "native/kernels/scatter_nd/scatter_nd.h"

namespace hone {

void scatter_nd_ref(const ScatterNdArgs& args, const Tile& tile);

const ScatterNdRow kScatterNdRows[] = {
    {"scatter_nd_ref", kCpuRef, scatter_nd_ref},
};
const int kScatterNdRowCount = sizeof(kScatterNdRows) / sizeof(kScatterNdRows[0]);

}  // namespace hone
