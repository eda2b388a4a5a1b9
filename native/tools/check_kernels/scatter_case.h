#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "native/kernels/scatter_combination.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

/// What the checks of the scattering kernels share.
namespace hone::check {

/// Elements of one type as what they are combined as.
class Elements {
 public:
  Elements(ElementType type, const void* from, int64_t count) : type_(type) {
    for (int64_t i = 0; i < count; i++) {
      if (type == ElementType::kFloat32)
        floats_.push_back(static_cast<const float*>(from)[i]);
      else
        integers_.push_back(read_integer(from, type, i));
    }
  }

  void combine(int64_t at, ScatterCombination combination, const void* updates, int64_t from) {
    if (type_ == ElementType::kFloat32) {
      float& old = floats_[static_cast<size_t>(at)];
      const float update = static_cast<const float*>(updates)[from];
      switch (combination) {
        case ScatterCombination::kReplace:
          old = update;
          break;
        case ScatterCombination::kAdd:
          old += update;
          break;
        case ScatterCombination::kMultiply:
          old *= update;
          break;
        case ScatterCombination::kMaximum:
          old = std::isnan(old) || std::isnan(update) ? NAN : std::fmax(old, update);
          break;
        case ScatterCombination::kMinimum:
          old = std::isnan(old) || std::isnan(update) ? NAN : std::fmin(old, update);
          break;
      }
      return;
    }
    int64_t& old = integers_[static_cast<size_t>(at)];
    const int64_t update = read_integer(updates, type_, from);
    const auto a = static_cast<uint64_t>(old), b = static_cast<uint64_t>(update);
    const int64_t results[] = {update, static_cast<int64_t>(a + b), static_cast<int64_t>(a * b),
                               std::max(old, update), std::min(old, update)};
    old = cut(results[static_cast<int>(combination)]);
  }

  bool equals(const void* found) const {
    for (size_t i = 0; i < floats_.size(); i++) {
      const float y = static_cast<const float*>(found)[i];
      if (!(std::isnan(y) ? std::isnan(floats_[i]) : y == floats_[i])) return false;
    }
    for (size_t i = 0; i < integers_.size(); i++)
      if (read_integer(found, type_, static_cast<int64_t>(i)) != integers_[i]) return false;
    return true;
  }

 private:
  /// A number as its type holds it.
  int64_t cut(int64_t value) const {
    uint8_t bytes[8];
    std::memcpy(bytes, &value, 8);
    return read_integer(bytes, type_, 0);
  }

  ElementType type_;
  std::vector<float> floats_;
  std::vector<int64_t> integers_;
};

/// Types, combination and operands that both kernels have. Truths are replaced only: sums of them mean
/// nothing.
template <typename Args>
void place_scatter(Workbench& bench, int64_t y_count, int64_t update_count, int64_t index_count,
                   int64_t length, Args* args) {
  Rng& rng = bench.rng();
  constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kInt64, ElementType::kInt32,
                                    ElementType::kInt8,    ElementType::kUint8, ElementType::kBool};
  args->type = rng.pick(kTypes);
  args->index_type = rng.chance(0.5) ? ElementType::kInt64 : ElementType::kInt32;
  const int last = args->type == ElementType::kBool ? 0 : kScatterCombinationCount - 1;
  args->combination = static_cast<ScatterCombination>(rng.between(0, last));
  args->y_count = y_count;
  const int32_t bytes = element_bytes(args->type);
  args->y = output_of(bench, bytes, static_cast<size_t>(y_count));
  void* x = rng.chance(0.5) ? args->y : input_of(bench, bytes, static_cast<size_t>(y_count));
  void* updates = input_of(bench, bytes, static_cast<size_t>(update_count));
  fill_numbers(bench, args->type, x, static_cast<size_t>(y_count));
  fill_numbers(bench, args->type, updates, static_cast<size_t>(update_count));
  args->x = x;
  args->updates = updates;
  args->indices = fill_indices(bench, args->index_type, length, static_cast<size_t>(index_count));
  args->out_of_range = flag_of(bench);
}

template <typename Args>
std::string describe_scatter(const Args& args) {
  return "combination " + std::to_string(static_cast<int>(args.combination)) + " of type " +
         std::to_string(static_cast<int>(args.type)) + " into " + std::to_string(args.y_count) +
         (args.x == args.y ? " in place" : "");
}

}  // namespace hone::check
