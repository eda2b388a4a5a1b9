#pragma once
#include "native/kernels/binary_int/binary_int.h"

/// What the table and the instruction-set files of binary_int share. Symbol = file = table row.
namespace hone {

void binary_int_ref(const BinaryIntArgs& args, const Tile& tile);
void binary_int_avx2(const BinaryIntArgs& args, const Tile& tile);
void binary_int_neon(const BinaryIntArgs& args, const Tile& tile);

}  // namespace hone
