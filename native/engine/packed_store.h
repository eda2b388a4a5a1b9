#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "native/core/status.h"
#include "native/engine/packed_block.h"
#include "native/engine/packed_file.h"
#include "native/kernels/packed_layout.h"

namespace hone {

/// Key of packed weights: the layout, and everything that the packer reads or is told. No addresses: keys
/// stand in cache files.
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

/// What became of the cache file of a model while a session was opened.
struct CacheOutcome {
  enum class State {
    kOff,      ///< no folder was given
    kRead,     ///< nothing had to be packed
    kWritten,  ///< what was packed is there for the next process
    kFailed,   ///< it could not be written
  } state;
  std::string reason;  ///< of a failure
};

/// "off", "read", "written", "failed".
const char* describe_cache(CacheOutcome::State state);

/// Packed weights by what they are made of, so that nodes, variants and sessions over the same weights pack
/// once and share; with a cache folder processes too, one after the other. Held by its users: what no session
/// uses is freed. Locked while sessions open; never touched by a run. A fork waits until no store is locked,
/// so that its child may open sessions.
class PackedStore {
 public:
  PackedStore();
  ~PackedStore();
  PackedStore(const PackedStore&) = delete;
  PackedStore& operator=(const PackedStore&) = delete;

  /// The packed weights of `key`; `pack` fills them where neither a session nor the cache file has them. Null
  /// when there is no memory.
  template <typename Pack>
  std::shared_ptr<const PackedBlock> find_or_pack(const std::string& key, size_t bytes, Pack pack) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::weak_ptr<const PackedBlock>& slot = packed_[key];
    std::shared_ptr<const PackedBlock> found = slot.lock();
    if (found == nullptr) found = find_in_file(key, bytes);
    if (found == nullptr) {
      auto made = std::make_shared<PackedBlock>();
      uint8_t* room = made->allocate(bytes);
      if (room == nullptr) return nullptr;
      pack(room);
      is_news_ = true;
      found = std::move(made);
    }
    slot = found;
    return found;
  }

  /// Keeps packed weights in `folder` from now on, where no other was named before; `file` (or null) holds
  /// some of them.
  void use_cache(const std::string& folder, std::shared_ptr<const PackedFile> file);
  bool has_cache();
  /// Writes what was packed since the last time, with all that the file holds, for the processes to come.
  /// Whether it works or not changes nothing here.
  CacheOutcome save(const Plan& plan);

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

  std::shared_ptr<const PackedBlock> find_in_file(const std::string& key, size_t bytes) const;

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const PackedBlock>> packed_;
  std::string folder_;  ///< empty: no cache
  std::shared_ptr<const PackedFile> file_;
  bool is_news_ = false;  ///< something was packed that the file does not hold
};

}  // namespace hone
