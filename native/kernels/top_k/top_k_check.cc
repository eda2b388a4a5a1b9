#include "native/kernels/top_k/top_k.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <vector>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// Also holds ref against a stable sort of whole rows.
class TopKCase : public PlainCase<TopKRow, TopKArgs> {
 public:
  using PlainCase::PlainCase;

  std::string verify_reference() override {
    for (int64_t row = 0; row < items_; row++) {
      std::vector<int64_t> order(static_cast<size_t>(args_.length));
      std::iota(order.begin(), order.end(), int64_t{0});
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        const long double left = at(args_.x, row * args_.length + a),
                          right = at(args_.x, row * args_.length + b);
        if (left != left || right != right) return left == left && right != right;
        return args_.smallest ? left < right : left > right;
      });
      for (int64_t i = 0; i < args_.count; i++) {
        const int64_t place = args_.places[row * args_.count + i], wanted = order[static_cast<size_t>(i)];
        const long double value = at(args_.y, row * args_.count + i),
                          exact = at(args_.x, row * args_.length + wanted);
        const bool same = value == exact || (value != value && exact != exact);
        if (place != wanted || !same)
          return "row " + std::to_string(row) + " has " + std::to_string(place) + " at " + std::to_string(i);
      }
    }
    return {};
  }

 private:
  long double at(const void* from, int64_t index) const {
    if (args_.type == ElementType::kFloat32) return static_cast<const float*>(from)[index];
    return static_cast<long double>(read_integer(from, args_.type, index));
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int64_t rows, int64_t length, int64_t count,
                                 ElementType type, const char* name) {
  TopKArgs args = {};
  args.type = type;
  args.length = length;
  args.count = count;
  args.smallest = name == nullptr && bench.rng().chance(0.5);
  args.y = output_of(bench, element_bytes(type), static_cast<size_t>(rows * count));
  args.places = bench.output<int64_t>(static_cast<size_t>(rows * count));
  void* x = input_of(bench, element_bytes(type), static_cast<size_t>(rows * length));
  fill_numbers(bench, type, x, static_cast<size_t>(rows * length));
  args.x = x;
  return std::make_unique<TopKCase>(
      kTopKRows, args, rows, static_cast<double>(rows * length),
      name != nullptr ? name
                      : std::to_string(count) + " of " + std::to_string(rows) + "x" + std::to_string(length));
}

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kFloat32, ElementType::kInt8,
                                  ElementType::kUint8,   ElementType::kInt32,   ElementType::kInt64};
constexpr int64_t kLengths[] = {1, 2, 3, 5, 17, 100};
constexpr int kFixed = static_cast<int>(std::size(kTypes) * std::size(kLengths)) * 4;

const KernelCheck kCheck = {
    "top_k",
    [] { return list_rows(kTopKRows, kTopKRowCount); },
    kFixed,
    [](Workbench& bench, int index) {
      Rng& rng = bench.rng();
      const int64_t length = index < kFixed ? kLengths[index / 6 % 6] : rng.between(1, 300);
      const int64_t count = rng.chance(0.3) ? length : rng.between(1, length);
      return make(bench, rng.between(1, 3), length, count, kTypes[index % 6], nullptr);
    },
    2,
    [](Workbench& bench, int index) {
      return index == 0 ? make(bench, 1, 8400, 300, ElementType::kFloat32, "300 of 1x8400")
                        : make(bench, 1, 1000, 5, ElementType::kFloat32, "5 of 1x1000");
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
