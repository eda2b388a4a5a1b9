#pragma once
#include <memory>

#include "native/engine/encoded_weights.h"
#include "native/engine/step.h"

namespace hone {

/// The packed weights of a node for a row: taken from the store, packed now when nobody has them. Null when
/// there is no memory. The row packs from pack_shape(shape), which is part of the key, so that what the key
/// does not say cannot matter. The pages of a mapped plan that held the weights are given back.
template <typename Row, typename Shape, typename Weights>
std::shared_ptr<const AlignedBuffer> packed_weights(const StepContext& context, const Row& row,
                                                    const Shape& shape, const Weights& weights) {
  const Shape what = pack_shape(shape);
  const auto pack = [&](const std::string& key) {
    return context.store->find_or_pack(key, row.packed_bytes(what), [&](void* packed) {
      Weights readable = weights;
      const auto elements = decode_for_packing(context, &readable);
      row.pack(what, readable, packed);
    });
  };
  std::shared_ptr<const AlignedBuffer> packed;
  if constexpr (requires { weights.x_zero_point; }) {
    packed = pack(packed_key(row.layout, what, weights.weights, weights.bias, weights.multiplier,
                             weights.zero_points, weights.x_zero_point));
  } else if constexpr (requires { weights.bias; }) {
    packed = pack(packed_key(row.layout, what, weights.weights, weights.bias));
  } else {
    packed = pack(packed_key(row.layout, what, weights.weights));
  }
  context.plan.give_back_pages(context.x(kWeightsInput));
  return packed;
}

}  // namespace hone
