#include "native/kernels/require/require.h"

namespace hone {

void require_ref(const RequireArgs& args, const Tile& tile);

const RequireRow kRequireRows[] = {
    {"require_ref", kCpuRef, require_ref},
};
const int kRequireRowCount = sizeof(kRequireRows) / sizeof(kRequireRows[0]);

}  // namespace hone
