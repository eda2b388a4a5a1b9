#include "native/kernels/fill/fill.h"

namespace hone {

void fill_ref(const FillArgs& args, const Tile& tile);

const FillRow kFillRows[] = {
    {"fill_ref", kCpuRef, fill_ref},
};
const int kFillRowCount = sizeof(kFillRows) / sizeof(kFillRows[0]);

}  // namespace hone
