#pragma once
#include <cstdint>

namespace hone {

/// Columns of a panel: one cache line of floats.
inline constexpr int32_t kPanelColumns = 16;
/// Panels of a block: as many as one row needs to hide the latency of a multiply-add.
inline constexpr int32_t kBlockPanels = 4;
inline constexpr int32_t kPanelBlock = kPanelColumns * kBlockPanels;

}  // namespace hone
