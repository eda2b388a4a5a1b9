#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "native/tools/check_kernels/workbench.h"

/// Layouts of a tensor [outer][pixels][channels], for the kernels at the border.
namespace hone::check {

struct PixelLayout {
  int64_t outer, pixels, channels;
  bool channels_first;
  int64_t gap;  ///< elements behind each run that belong to nobody

  int64_t run() const { return channels_first ? pixels : channels; }
  int64_t runs() const { return outer * (channels_first ? channels : pixels); }
  ptrdiff_t outer_stride() const { return (channels_first ? channels : pixels) * (run() + gap); }
  ptrdiff_t pixel_stride() const { return channels_first ? 1 : channels + gap; }
  ptrdiff_t channel_stride() const { return channels_first ? pixels + gap : 1; }
  size_t span() const { return static_cast<size_t>((runs() - 1) * (run() + gap) + run()); }
};

/// A change of layout to try.
struct BorderSpec {
  const char* name;
  int64_t outer, pixels, channels;
  bool x_first, y_first;
  int64_t x_gap, y_gap;

  PixelLayout x() const { return {outer, pixels, channels, x_first, x_gap}; }
  PixelLayout y() const { return {outer, pixels, channels, y_first, y_gap}; }
  std::string text() const {
    if (name != nullptr) return name;
    return std::to_string(outer) + "x" + std::to_string(pixels) + "x" + std::to_string(channels) +
           (x_first ? " first" : " last") + (y_first ? " to first" : " to last") + " gaps " +
           std::to_string(x_gap) + "," + std::to_string(y_gap);
  }
};

// Runs around 16 elements; 1, 3, up to 16 and more channels in every change of layout.
constexpr BorderSpec kBorderFixed[] = {
    {nullptr, 1, 1, 1, false, false, 0, 0},  {nullptr, 1, 1, 10, false, false, 0, 0},
    {nullptr, 2, 5, 16, false, false, 0, 0}, {nullptr, 2, 5, 17, false, false, 1, 2},
    {nullptr, 1, 47, 1, true, false, 0, 0},  {nullptr, 2, 33, 3, true, false, 0, 0},
    {nullptr, 2, 35, 3, true, false, 3, 1},  {nullptr, 1, 31, 16, true, false, 0, 0},
    {nullptr, 2, 19, 21, true, false, 2, 0}, {nullptr, 1, 40, 7, true, false, 0, 0},
    {nullptr, 2, 35, 3, false, true, 0, 0},  {nullptr, 2, 33, 3, false, true, 1, 2},
    {nullptr, 1, 31, 16, false, true, 0, 0}, {nullptr, 2, 19, 21, false, true, 0, 5},
    {nullptr, 2, 18, 5, true, true, 0, 0},   {nullptr, 1, 20, 33, true, true, 1, 1},
};
constexpr BorderSpec kBorderBench[] = {
    {"first to last 224x224x3", 1, 224 * 224, 3, true, false, 0, 0},
    {"last to first 224x224x3", 1, 224 * 224, 3, false, true, 0, 0},
    {"first to last 56x56x16", 1, 56 * 56, 16, true, false, 0, 0},
    {"last to first 56x56x16", 1, 56 * 56, 16, false, true, 0, 0},
    {"dense 28x28x1", 1, 28 * 28, 1, false, false, 0, 0},
    {"dense 16384", 1, 1, 16384, false, false, 0, 0},
};

inline BorderSpec random_border(Rng& rng) {
  static constexpr int64_t kChannels[] = {1, 2, 3, 3, 4, 5, 8, 15, 16, 17, 24, 33};
  static constexpr int64_t kGaps[] = {0, 0, 0, 1, 5};
  return {nullptr,         rng.between(1, 2), rng.between(1, 70), rng.pick(kChannels),
          rng.chance(0.5), rng.chance(0.5),   rng.pick(kGaps),    rng.pick(kGaps)};
}

}  // namespace hone::check
