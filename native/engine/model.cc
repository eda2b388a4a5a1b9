#include "native/engine/model.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "native/core/float_environment.h"
#include "native/engine/refuse_bad_alloc.h"

namespace hone {
namespace {

/// The models that are open in this process. Locked only to look: plans are read, compared and packed
/// outside.
class ModelTable {
 public:
  /// Adds the models with this checksum that are not in `tried` to `found`; when there are none, `added`
  /// (unless null) enters the table. `found` must be empty: no model may end inside the lock.
  void look(uint32_t crc, const std::vector<std::shared_ptr<Model>>& tried,
            const std::shared_ptr<Model>& added, std::vector<std::shared_ptr<Model>>* found) {
    const std::lock_guard<std::mutex> lock(mutex_);
    found->reserve(entries_.size());
    for (const Entry& entry : entries_)
      if (std::shared_ptr<Model> model = entry.crc == crc ? entry.model.lock() : nullptr)
        if (std::find(tried.begin(), tried.end(), model) == tried.end()) found->push_back(std::move(model));
    if (found->empty() && added != nullptr) entries_.push_back({crc, added});
  }
  void forget_expired() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(entries_, [](const Entry& entry) { return entry.model.expired(); });
  }
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Entry {
    uint32_t crc;
    std::weak_ptr<Model> model;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

ModelTable& table() {
  // Never destroyed: threads of Node may outlive static destructors.
  static ModelTable* only = [] {
    auto* made = new ModelTable;
    // A fork keeps only the thread that asked for it: the lock must be free in the child.
    pthread_atfork([] { table().lock(); }, [] { table().unlock(); }, [] { table().unlock(); });
    return made;
  }();
  return *only;
}

}  // namespace

Status Model::open_file(const std::string& path, const std::string& cache, std::shared_ptr<Model>* model) {
  return refuse_bad_alloc([&] {
    std::shared_ptr<Plan> plan;
    Status status = Plan::read_file(path, &plan);
    return status.ok() ? share(plan, cache, model) : status;
  });
}

Status Model::open_bytes(const void* bytes, size_t size, const std::string& cache,
                         std::shared_ptr<Model>* model) {
  return refuse_bad_alloc([&] {
    std::shared_ptr<Plan> plan;
    Status status = Plan::read_bytes(bytes, size, &plan);
    return status.ok() ? share(plan, cache, model) : status;
  });
}

Status Model::open_mutated(const void* bytes, size_t size, std::shared_ptr<Model>* model) {
  return refuse_bad_alloc([&] {
    std::shared_ptr<Plan> plan;
    Status status = Plan::read_bytes(bytes, size, &plan);
    if (status.ok()) status = plan->check();
    if (status.ok()) *model = std::make_shared<Model>(std::move(plan));
    return status;
  });
}

Status Model::check(const std::shared_ptr<Plan>& plan, const std::string& cache,
                    std::shared_ptr<Model>* model) {
  std::shared_ptr<const PackedFile> file;
  if (!cache.empty()) file = PackedFile::open(PackedFile::path_of(cache, *plan), *plan);
  // Whoever wrote the file had compared the checksum of the same bytes, and summed the weights.
  Status status = file == nullptr ? plan->check_checksum() : Status();
  if (status.ok()) status = plan->check(file != nullptr);
  if (!status.ok()) return status;
  *model = std::make_shared<Model>(plan);
  if (!cache.empty()) (*model)->packed_.use_cache(cache, std::move(file));
  return status;
}

Status Model::share(const std::shared_ptr<Plan>& plan, const std::string& cache,
                    std::shared_ptr<Model>* model) {
  const FloatEnvironment environment;
  std::shared_ptr<Model> made;
  std::vector<std::shared_ptr<Model>> tried, found;
  for (;;) {
    table().look(plan->header().crc32, tried, made, &found);
    for (const std::shared_ptr<Model>& other : found)
      if (other->plan().same_bytes(*plan)) {
        if (!cache.empty() && !other->packed_.has_cache())
          other->packed_.use_cache(cache, PackedFile::open(PackedFile::path_of(cache, *plan), *plan));
        *model = other;
        return Status();
      }
    if (found.empty()) {
      if (made != nullptr) break;
      if (Status status = check(plan, cache, &made); !status.ok()) return status;
    }
    tried.insert(tried.end(), found.begin(), found.end());
    found.clear();
  }
  *model = std::move(made);
  return Status();
}

Model::~Model() { table().forget_expired(); }

}  // namespace hone
