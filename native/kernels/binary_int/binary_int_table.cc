#include "native/kernels/binary_int/binary_int.h"

namespace hone {

void binary_int_ref(const BinaryIntArgs& args, const Tile& tile);

const BinaryIntRow kBinaryIntRows[] = {
    {"binary_int_ref", kCpuRef, binary_int_ref},
};
const int kBinaryIntRowCount = sizeof(kBinaryIntRows) / sizeof(kBinaryIntRows[0]);

}  // namespace hone
