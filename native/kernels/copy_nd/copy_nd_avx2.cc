#include "native/kernels/copy_nd/copy_nd_simd.h"

namespace hone {

void copy_nd_avx2(const CopyNdArgs& args, const Tile& tile) { copy_nd_simd(args, tile); }

}  // namespace hone
