#include "native/engine/packed_store.h"

#include <pthread.h>

#include <algorithm>
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

PackedStore::PackedStore() { StoreList::instance().add(this); }
PackedStore::~PackedStore() { StoreList::instance().remove(this); }

}  // namespace hone
