#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "native/core/choose_row.h"
#include "native/core/cpu.h"
#include "native/core/status.h"
#include "native/core/tile.h"
#include "native/engine/call.h"
#include "native/engine/packed_store.h"

namespace hone {

/// How a node is divided among threads. Each thread begins with its own share of the tiles and then helps the
/// others, so that a slow core does not decide; a node for one thread is one tile.
struct Tiling {
  std::vector<Tile> tiles;
  int parties = 1;  ///< threads that take part
};

/// Working memory while a tile is computed, 64-byte aligned.
struct Scratch {
  void* own;     ///< of the thread that computes
  void* shared;  ///< of all tiles and phases of the step
};

/// One prepared node of the CPU program: a kernel row with its arguments, divided into tiles. A step may have
/// several phases: all tiles of one are done before the next begins.
class Step {
 public:
  virtual ~Step() = default;
  /// Takes the addresses of the operands.
  virtual void bind(const Memory& memory) = 0;
  /// Computes one tile of a phase.
  virtual void run(const Tile& tile, int phase, const Scratch& scratch) const = 0;

  int phases() const { return 1 + static_cast<int>(later_phases_.size()); }
  const Tiling& tiling(int phase = 0) const {
    return phase == 0 ? tiles_ : later_phases_[static_cast<size_t>(phase) - 1];
  }
  /// Threads that take part, in the phase with the most of them.
  int parties() const {
    int most = tiles_.parties;
    for (const Tiling& tiling : later_phases_) most = std::max(most, tiling.parties);
    return most;
  }
  const char* row_name() const { return row_name_; }
  size_t scratch_bytes() const { return scratch_bytes_; }
  size_t shared_scratch_bytes() const { return shared_scratch_bytes_; }
  /// Where a step that may leave out others says so after each run; null for all others.
  const uint8_t* skip_flag() const { return skip_flag_; }
  /// How many steps behind it are left out then.
  uint32_t skip_count() const { return skip_count_; }
  /// Null when the operation has no packed weights; two steps may have the same.
  const PackedBlock* packed() const { return packed_.get(); }

 protected:
  const char* row_name_ = "";
  Tiling tiles_;  ///< of phase 0, of most steps the only one
  std::vector<Tiling> later_phases_;
  std::shared_ptr<const PackedBlock> packed_;
  const uint8_t* skip_flag_ = nullptr;
  uint32_t skip_count_ = 0;
  size_t scratch_bytes_ = 0;         ///< of each thread
  size_t shared_scratch_bytes_ = 0;  ///< for all of them together
};

/// What is known while a node is prepared for this CPU.
struct StepContext : Call {
  CpuFeatures mask;
  int threads;
  /// The node before runs on several threads, so that parts of its output are near each of them.
  bool after_divided;
  PackedStore* store;
  /// Every node is divided, however little work it is.
  bool divides_all = false;
};

/// How a node may be divided. Work is in nanoseconds, by rule of thumb.
struct Division {
  int64_t items;
  int64_t item_multiple = 1;  ///< tiles begin at multiples of this
  int32_t blocks = 1;
  double work_ns = 0;
};

/// By items or by blocks, whichever is more even. Fewer threads when each would have too little work to pay
/// for waking, joining and moving data between cores; up to four tiles per thread where they are long enough.
Tiling divide(const Division& division, const StepContext& context);

/// Rules of thumb for one thread; only the decision to use several threads depends on them.
double estimate_mac_ns(double macs, CpuFeatures needs, bool integer);
double estimate_element_ns(double elements, CpuFeatures needs);

}  // namespace hone
