#include "native/kernels/select/select.h"

namespace hone {

void select_ref(const SelectArgs& args, const Tile& tile);

const SelectRow kSelectRows[] = {
    {"select_ref", kCpuRef, select_ref},
};
const int kSelectRowCount = sizeof(kSelectRows) / sizeof(kSelectRows[0]);

}  // namespace hone
