#pragma once
#include "native/kernels/compare/compare.h"

/// What the table and the instruction-set files of compare share. Symbol = file = table row.
namespace hone {

void compare_ref(const CompareArgs& args, const Tile& tile);
void compare_avx2(const CompareArgs& args, const Tile& tile);
void compare_neon(const CompareArgs& args, const Tile& tile);

}  // namespace hone
