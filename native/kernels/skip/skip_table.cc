#include "native/kernels/skip/skip.h"

namespace hone {

void skip_ref(const SkipArgs& args, const Tile& tile);

const SkipRow kSkipRows[] = {
    {"skip_ref", kCpuRef, skip_ref},
};
const int kSkipRowCount = sizeof(kSkipRows) / sizeof(kSkipRows[0]);

}  // namespace hone
