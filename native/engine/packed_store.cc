#include "native/engine/packed_store.h"

#include <pthread.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace hone {

/// The stores of this process.
class StoreList {
 public:
  static StoreList& instance() {
    // Never destroyed: threads of Node may outlive static destructors.
    static StoreList* only = [] {
      auto* made = new StoreList;
      pthread_atfork([] { instance().lock(); }, [] { instance().unlock(); }, [] { instance().unlock(); });
      return made;
    }();
    return *only;
  }

  void add(PackedStore* store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stores_.push_back(store);
  }
  void remove(PackedStore* store) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stores_.erase(std::find(stores_.begin(), stores_.end(), store));
  }

 private:
  /// Everything: a fork keeps only the thread that asked for it, and would copy a lock that nobody opens.
  void lock() {
    mutex_.lock();
    for (PackedStore* store : stores_) store->mutex_.lock();
  }
  void unlock() {
    for (PackedStore* store : stores_) store->mutex_.unlock();
    mutex_.unlock();
  }

  std::mutex mutex_;
  std::vector<PackedStore*> stores_;
};

const char* describe_cache(CacheOutcome::State state) {
  constexpr const char* kWords[] = {"off", "read", "written", "failed"};
  return kWords[static_cast<int>(state)];
}

PackedStore::PackedStore() { StoreList::instance().add(this); }
PackedStore::~PackedStore() { StoreList::instance().remove(this); }

void PackedStore::use_cache(const std::string& folder, std::shared_ptr<const PackedFile> file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!folder_.empty()) return;
  folder_ = folder;
  is_news_ = is_news_ || (file != nullptr && file->is_outdated());
  file_ = std::move(file);
}

bool PackedStore::has_cache() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !folder_.empty();
}

std::shared_ptr<const PackedBlock> PackedStore::find_in_file(const std::string& key, size_t bytes) const {
  if (file_ == nullptr) return nullptr;
  const auto found = file_->blocks().find(key);
  if (found == file_->blocks().end() || found->second.size() != bytes) return nullptr;
  return std::make_shared<PackedBlock>(reinterpret_cast<const uint8_t*>(found->second.data()), bytes, file_);
}

CacheOutcome PackedStore::save(const Plan& plan) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (folder_.empty()) return {CacheOutcome::State::kOff, {}};
  if (!is_news_) return {CacheOutcome::State::kRead, {}};
  std::map<std::string, std::shared_ptr<const PackedBlock>> blocks;
  for (const auto& [key, slot] : packed_)
    if (std::shared_ptr<const PackedBlock> block = slot.lock()) blocks.emplace(key, std::move(block));
  if (file_ != nullptr)
    for (const auto& [key, bytes] : file_->blocks())
      if (std::string name(key); blocks.count(name) == 0)
        blocks.emplace(name, find_in_file(name, bytes.size()));
  is_news_ = false;  // once: where writing fails it would fail again
  Status status = PackedFile::write(folder_, plan, blocks);
  if (status.ok()) return {CacheOutcome::State::kWritten, {}};
  return {CacheOutcome::State::kFailed, status.reason()};
}

}  // namespace hone
