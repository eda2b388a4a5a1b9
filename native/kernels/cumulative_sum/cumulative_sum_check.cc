#include "native/kernels/cumulative_sum/cumulative_sum.h"

#include <cmath>
#include <cstring>
#include <iterator>

#include "native/tools/check_kernels/reduction_case.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// Also holds ref against sums that all begin anew.
class CumulativeSumCase : public PlainCase<CumulativeSumRow, CumulativeSumArgs> {
 public:
  using PlainCase::PlainCase;

  std::string verify_reference() override {
    for (int64_t item = 0; item < items_; item++) {
      const int64_t first = item / args_.inner * args_.length * args_.inner + item % args_.inner;
      for (int64_t i = 0; i < args_.length; i++)
        if (!is_sum(first, i)) return "sum " + std::to_string(i) + " of column " + std::to_string(item);
    }
    return {};
  }

 private:
  bool is_sum(int64_t first, int64_t i) const {
    const int64_t begin = args_.reverse ? args_.length - 1 : 0, step = args_.reverse ? -1 : 1;
    float sum = 0;
    uint64_t whole = 0;
    for (int64_t k = begin;; k += step) {
      if (k == i && args_.exclusive) break;
      const int64_t at = first + k * args_.inner;
      if (args_.type == ElementType::kFloat32) {
        const float x = static_cast<const float*>(args_.x)[at];
        sum = k == begin ? x : sum + x;
      } else {
        whole += static_cast<uint64_t>(read_integer(args_.x, args_.type, at));
      }
      if (k == i) break;
    }
    const int64_t at = first + i * args_.inner;
    if (args_.type == ElementType::kFloat32) {
      const float y = static_cast<const float*>(args_.y)[at];
      return y == sum || (std::isnan(y) && std::isnan(sum));
    }
    const auto y = static_cast<uint64_t>(read_integer(args_.y, args_.type, at));
    return args_.type == ElementType::kInt32 ? static_cast<uint32_t>(y) == static_cast<uint32_t>(whole)
                                             : y == whole;
  }
};

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kInt32, ElementType::kInt64};

std::unique_ptr<KernelCase> make(Workbench& bench, const ReductionSpec& s, ElementType type) {
  CumulativeSumArgs args = {};
  const auto count = static_cast<size_t>(s.outer * s.length * s.inner);
  args.type = type;
  args.length = s.length;
  args.inner = s.inner;
  args.exclusive = bench.rng().chance(0.5);
  args.reverse = bench.rng().chance(0.5);
  args.y = output_of(bench, element_bytes(type), count);
  void* x = input_of(bench, element_bytes(type), count);
  fill_numbers(bench, type, x, count);
  args.x = x;
  return std::make_unique<CumulativeSumCase>(kCumulativeSumRows, args, s.outer * s.inner,
                                             static_cast<double>(count), s.text());
}

constexpr int kFixed = static_cast<int>(std::size(kFixedReductions) * std::size(kTypes));

const KernelCheck kCheck = {
    "cumulative_sum",
    [] { return list_rows(kCumulativeSumRows, kCumulativeSumRowCount); },
    kFixed,
    [](Workbench& bench, int index) {
      const ElementType type = kTypes[index % 3];
      if (index >= kFixed) return make(bench, random_reduction(bench.rng()), type);
      return make(bench, kFixedReductions[index / 3], type);
    },
    static_cast<int>(std::size(kBenchReductions)),
    [](Workbench& bench, int index) { return make(bench, kBenchReductions[index], ElementType::kFloat32); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
