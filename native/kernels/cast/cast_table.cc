#include "native/kernels/cast/cast.h"

namespace hone {

void cast_ref(const CastArgs& args, const Tile& tile);

const CastRow kCastRows[] = {
    {"cast_ref", kCpuRef, cast_ref},
};
const int kCastRowCount = sizeof(kCastRows) / sizeof(kCastRows[0]);

}  // namespace hone
