#include "native/kernels/compare/compare.h"

namespace hone {

void compare_ref(const CompareArgs& args, const Tile& tile);

const CompareRow kCompareRows[] = {
    {"compare_ref", kCpuRef, compare_ref},
};
const int kCompareRowCount = sizeof(kCompareRows) / sizeof(kCompareRows[0]);

}  // namespace hone
