#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "native/core/status.h"
#include "native/engine/packed_store.h"
#include "native/engine/plan.h"

namespace hone {

/// A checked plan with the weights that its sessions have packed. A process has each once: whoever opens the
/// same bytes again, from whatever path or memory and in whatever thread, gets the model that is open.
class Model {
 public:
  /// Codes as in Plan. `cache`: a folder where packed weights are kept for processes to come; empty: none.
  static Status open_file(const std::string& path, const std::string& cache, std::shared_ptr<Model>* model);
  static Status open_bytes(const void* bytes, size_t size, const std::string& cache,
                           std::shared_ptr<Model>* model);
  /// The same whatever the checksum says, so that mutations of fuzzing get past it. Not shared.
  static Status open_mutated(const void* bytes, size_t size, std::shared_ptr<Model>* model);

  /// Use the functions above.
  explicit Model(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model();

  const Plan& plan() const { return *plan_; }
  PackedStore& packed() { return packed_; }
  /// Writes newly packed weights to the cache folder, if there is one.
  CacheOutcome save_packed() { return packed_.save(plan()); }

 private:
  static Status share(const std::shared_ptr<Plan>& plan, const std::string& cache,
                      std::shared_ptr<Model>* model);
  static Status check(const std::shared_ptr<Plan>& plan, const std::string& cache,
                      std::shared_ptr<Model>* model);

  std::shared_ptr<const Plan> plan_;
  PackedStore packed_;
};

}  // namespace hone
