#include "native/engine/step.h"

#include <algorithm>

namespace hone {
namespace {

/// Below this much work per thread, waking and joining costs more than it brings.
constexpr double kLeastNsPerThread = 5000;
/// The same behind a node that is divided: workers are awake, and an undivided node would fetch their share
/// of the data from their caches and send it back (a depthwise convolution of 3 us between divided ones took
/// 11).
constexpr double kLeastNsPerThreadBehind = 1250;
/// Tiles that a thread's share is cut into so that others can help, unless they become shorter than this:
/// every tile fills its own bands and panels.
constexpr int64_t kTilesPerThread = 4;
constexpr double kLeastNsPerTile = 10000;

}  // namespace

Tiling divide(const Division& division, const StepContext& context) {
  const double least = context.after_divided ? kLeastNsPerThreadBehind : kLeastNsPerThread;
  const int64_t useful =
      context.divides_all ? context.threads : static_cast<int64_t>(division.work_ns / least);
  const int64_t parties = std::clamp<int64_t>(useful, 1, context.threads);
  const int64_t units = (division.items + division.item_multiple - 1) / division.item_multiple;
  // Share of the busiest thread, by either division.
  const auto share = [&](int64_t count) {
    const int64_t busiest = (count + parties - 1) / parties;
    return static_cast<double>(busiest) / static_cast<double>(std::max<int64_t>(count, 1));
  };
  const bool by_items = share(units) <= share(division.blocks);
  const int64_t count = by_items ? units : division.blocks;
  const int64_t used_parties = std::max<int64_t>(1, std::min(parties, count));
  const int64_t long_enough =
      context.divides_all ? count
                          : std::max(used_parties, static_cast<int64_t>(division.work_ns / kLeastNsPerTile));
  // A multiple of the threads: on equal cores nobody has to wait for the last tile.
  const int64_t per_party = std::min({kTilesPerThread, long_enough / used_parties, count / used_parties});
  const int64_t used = used_parties == 1 ? 1 : used_parties * std::max<int64_t>(per_party, 1);
  Tiling tiling = {{}, static_cast<int>(used_parties)};
  for (int64_t i = 0; i < used; ++i) {
    const int64_t begin = count * i / used;
    const int64_t end = count * (i + 1) / used;
    Tile tile = {0, division.items, 0, division.blocks};
    if (by_items) {
      tile.begin = begin * division.item_multiple;
      tile.end = std::min(end * division.item_multiple, division.items);
    } else {
      tile.block_begin = static_cast<int32_t>(begin);
      tile.block_end = static_cast<int32_t>(end);
    }
    tiling.tiles.push_back(tile);
  }
  return tiling;
}

double estimate_mac_ns(double macs, CpuFeatures needs, bool integer) {
  double per_ns = 0.5;
  if (integer) {
    if ((needs & kCpuAvx512Vnni) != 0)
      per_ns = 200;
    else if ((needs & (kCpuAvx2 | kCpuNeonI8mm)) != 0)
      per_ns = 60;
    else if ((needs & kCpuNeonDotprod) != 0)
      per_ns = 40;
    else if ((needs & kCpuNeon) != 0)
      per_ns = 10;
  } else if (needs != kCpuRef) {
    per_ns = (needs & (kCpuAvx2 | kCpuFma)) != 0 ? 20 : 8;
  }
  return macs / per_ns;
}

double estimate_element_ns(double elements, CpuFeatures needs) {
  return elements / (needs == kCpuRef ? 0.3 : 4.0);
}

}  // namespace hone
