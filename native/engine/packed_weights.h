#pragma once
#include <array>
#include <memory>

#include "native/engine/encoded_weights.h"
#include "native/engine/step.h"

namespace hone {

/// The packed weights of a node for a row: taken from the store, packed now when nobody has them. Null when
/// there is no memory. The row packs from pack_shape(shape), which is part of the key, so that what the key
/// does not say cannot matter. The pages of a mapped plan that held the weights are given back.
template <typename Row, typename Shape, typename Weights>
std::shared_ptr<const PackedBlock> packed_weights(const StepContext& context, const Row& row,
                                                  const Shape& shape, const Weights& weights) {
  const Shape what = pack_shape(shape);
  const auto pack = [&](const std::string& key) {
    return context.store->find_or_pack(key, row.packed_bytes(what), [&](void* packed) {
      if constexpr (requires { weights.codes; }) {
        row.pack(what, weights, packed);
      } else {
        Weights readable = weights;
        const auto elements = decode_for_packing(context, &readable);
        row.pack(what, readable, packed);
      }
    });
  };
  // Constants by their place in the plan: codes, with their table, by their number.
  const auto place = [&](const void* constant) {
    return constant == nullptr
               ? UINT64_MAX
               : static_cast<uint64_t>(static_cast<const uint8_t*>(constant) - context.plan.weights());
  };
  const PlanTensor& w = context.x(kWeightsInput);
  const std::array<uint64_t, 2> source = {static_cast<uint64_t>(w.place), w.offset};
  std::shared_ptr<const PackedBlock> packed;
  if constexpr (requires { weights.zero_points; }) {
    packed = pack(packed_key(row.layout, what, source, place(weights.bias), place(weights.multiplier),
                             place(weights.zero_points), weights.x_zero_point));
  } else if constexpr (requires { weights.x_zero_point; }) {
    packed = pack(packed_key(row.layout, what, source, place(weights.bias), place(weights.multiplier),
                             weights.x_zero_point));
  } else if constexpr (requires { weights.bias; }) {
    packed = pack(packed_key(row.layout, what, source, place(weights.bias)));
  } else {
    packed = pack(packed_key(row.layout, what, source));
  }
  context.plan.give_back_pages(context.x(kWeightsInput));
  return packed;
}

}  // namespace hone
