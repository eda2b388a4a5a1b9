#pragma once
#include "native/kernels/select/select.h"

/// What the table and the instruction-set files of select share. Symbol = file = table row.
namespace hone {

void select_ref(const SelectArgs& args, const Tile& tile);
void select_avx2(const SelectArgs& args, const Tile& tile);
void select_neon(const SelectArgs& args, const Tile& tile);

}  // namespace hone
