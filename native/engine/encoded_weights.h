#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

#include "native/engine/call.h"
#include "native/engine/plan.h"
#include "native/kernels/weight_codes.h"

namespace hone {

/// The codes of a tensor of place kEncoded.
WeightCodes find_codes(const Plan& plan, const PlanTensor& tensor);

/// All elements of a tensor of place kEncoded, in order; `to` has room for them, of the type of the tensor.
void decode_weights(const Plan& plan, const PlanTensor& tensor, void* to);

/// The elements of a constant: where they are in the plan, or decoded for as long as this lives.
template <typename T>
class ConstantElements {
 public:
  ConstantElements(const Plan& plan, const PlanTensor& tensor) {
    if (tensor.place != PlanPlace::kEncoded) {
      data_ = plan.constant<T>(tensor);
      return;
    }
    decoded_ = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(count_elements(tensor)));
    decode_weights(plan, tensor, decoded_.get());
    data_ = decoded_.get();
  }
  const T* data() const { return data_; }

 private:
  std::unique_ptr<T[]> decoded_;
  const T* data_ = nullptr;
};

/// The weights of a node as packers read them: those that its plan holds as codes are decoded for as long as
/// what comes back lives.
template <typename Weights>
auto decode_for_packing(const NodeView& node, Weights* weights) {
  using Element = std::remove_cvref_t<decltype(*weights->weights)>;
  ConstantElements<Element> elements(node.plan, node.x(kWeightsInput));
  weights->weights = elements.data();
  return elements;
}

}  // namespace hone
