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
  /// Codes as in Plan.
  static Status open_file(const std::string& path, std::shared_ptr<Model>* model);
  /// Without the checksum a model is not shared.
  static Status open_bytes(const void* bytes, size_t size, std::shared_ptr<Model>* model,
                           PlanChecksum checksum = PlanChecksum::kVerify);

  /// Use the functions above.
  explicit Model(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model();

  const Plan& plan() const { return *plan_; }
  PackedStore& packed() { return packed_; }

 private:
  static Status share(const std::shared_ptr<Plan>& plan, std::shared_ptr<Model>* model);

  std::shared_ptr<const Plan> plan_;
  PackedStore packed_;
};

}  // namespace hone
