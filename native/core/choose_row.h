#pragma once
#include "native/core/cpu_features.h"

namespace hone {

/// The first row whose needs the mask holds and whose `fits` agrees; ref, the last, always does.
template <typename Row, typename Fits>
const Row& choose_row(const Row* rows, int count, CpuFeatures mask, Fits fits) {
  for (int i = 0; i < count - 1; ++i)
    if ((rows[i].needs & ~mask) == 0 && fits(rows[i])) return rows[i];
  return rows[count - 1];
}
template <typename Row>
const Row& choose_row(const Row* rows, int count, CpuFeatures mask) {
  return choose_row(rows, count, mask, [](const Row&) { return true; });
}

}  // namespace hone
