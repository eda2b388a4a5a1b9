#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "native/engine/aligned_buffer.h"
#include "native/kernels/packed_layout.h"

namespace hone {

/// Key of packed weights: the layout, and everything that the packer reads or is told.
template <typename... Parts>
std::string packed_key(const PackedLayout& layout, const Parts&... parts) {
  std::string key = layout.name;
  key.push_back('\0');
  const auto append = [&](const auto& part) {
    static_assert(std::has_unique_object_representations_v<std::remove_cvref_t<decltype(part)>>);
    key.append(reinterpret_cast<const char*>(&part), sizeof(part));
  };
  append(layout.version);
  (append(parts), ...);
  return key;
}

/// Packed weights by what they are made of, so that nodes, variants and sessions over the same weights pack
/// once and share. Held by its users: what no session uses is freed. Locked while sessions open; never
/// touched by a run. A fork waits until no store is locked, so that its child may open sessions.
class PackedStore {
 public:
  PackedStore();
  ~PackedStore();
  PackedStore(const PackedStore&) = delete;
  PackedStore& operator=(const PackedStore&) = delete;

  /// The packed weights of `key`; `pack` fills them the first time. Null when there is no memory.
  template <typename Pack>
  std::shared_ptr<const AlignedBuffer> find_or_pack(const std::string& key, size_t bytes, Pack pack) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::weak_ptr<const AlignedBuffer>& slot = packed_[key];
    std::shared_ptr<const AlignedBuffer> found = slot.lock();
    if (found != nullptr) return found;
    auto made = std::make_shared<AlignedBuffer>();
    if (!made->allocate(bytes)) return nullptr;
    pack(made->data());
    slot = made;
    return made;
  }

  /// Bytes that are packed now, over all sessions.
  size_t live_bytes() {
    const std::lock_guard<std::mutex> lock(mutex_);
    size_t bytes = 0;
    for (const auto& [key, slot] : packed_)
      if (const auto held = slot.lock()) bytes += held->size();
    return bytes;
  }

 private:
  friend class StoreList;

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const AlignedBuffer>> packed_;
};

}  // namespace hone
