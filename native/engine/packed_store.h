#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "native/engine/aligned_buffer.h"

namespace hone {

/// Packed weights by node and kernel row, so that the sessions of one model pack once and share. Held by its
/// users: what no session uses is freed. Locked while sessions open; never touched by a run.
class PackedStore {
 public:
  /// The packed weights of `node` for the row called `row_name`; `pack` fills them the first time.
  /// Null when there is no memory.
  template <typename Pack>
  std::shared_ptr<const AlignedBuffer> find_or_pack(uint32_t node, const char* row_name, size_t bytes,
                                                    Pack pack) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::weak_ptr<const AlignedBuffer>& slot = packed_[{node, row_name}];
    std::shared_ptr<const AlignedBuffer> found = slot.lock();
    if (found != nullptr) return found;
    auto made = std::make_shared<AlignedBuffer>();
    if (!made->allocate(bytes)) return nullptr;
    pack(made->data());
    slot = made;
    return made;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<uint32_t, const char*>, std::weak_ptr<const AlignedBuffer>> packed_;
};

}  // namespace hone
