#include "native/kernels/arg_extreme/arg_extreme.h"

#include <iterator>

#include "native/tools/check_kernels/reduction_case.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// Also holds ref against a search from the other end.
class ArgExtremeCase : public PlainCase<ArgExtremeRow, ArgExtremeArgs> {
 public:
  using PlainCase::PlainCase;

  std::string verify_reference() override {
    for (int64_t item = 0; item < items_; item++)
      if (args_.y[item] != find(item / args_.inner * args_.length * args_.inner + item % args_.inner))
        return "item " + std::to_string(item) + " is " + std::to_string(args_.y[item]);
    return {};
  }

 private:
  /// Floats and integers below 2^53 as they are; larger ones would meet their neighbours.
  long double at(int64_t index) const {
    if (args_.type == ElementType::kFloat32) return static_cast<const float*>(args_.x)[index];
    return static_cast<long double>(read_integer(args_.x, args_.type, index));
  }

  int64_t find(int64_t from) const {
    const auto element = [&](int64_t i) { return at(from + i * args_.inner); };
    if (element(0) != element(0)) return 0;
    int64_t best = -1;
    for (int64_t i = args_.length - 1; i >= 0; i--) {
      const long double x = element(i);
      if (x != x) continue;
      const bool beats = best < 0 || (args_.smallest ? x < element(best) : x > element(best));
      if (beats || (!args_.last && x == element(best))) best = i;
    }
    return best;
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, const ReductionSpec& s, ElementType type, bool plain) {
  ArgExtremeArgs args = {};
  const auto count = static_cast<size_t>(s.outer * s.length * s.inner);
  args.type = type;
  args.length = s.length;
  args.inner = s.inner;
  args.smallest = !plain && bench.rng().chance(0.5);
  args.last = !plain && bench.rng().chance(0.5);
  args.y = bench.output<int64_t>(static_cast<size_t>(s.outer * s.inner));
  void* x = input_of(bench, element_bytes(type), count);
  fill_numbers(bench, type, x, count);
  args.x = x;
  return std::make_unique<ArgExtremeCase>(
      kArgExtremeRows, args, s.outer * s.inner, static_cast<double>(count),
      plain ? s.text() : s.text() + " of type " + std::to_string(static_cast<int>(type)));
}

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kFloat32, ElementType::kFloat32,
                                  ElementType::kInt8,    ElementType::kUint8,   ElementType::kInt32,
                                  ElementType::kInt64};
constexpr int kFixed = static_cast<int>(std::size(kFixedReductions) * std::size(kTypes));

const KernelCheck kCheck = {"arg_extreme",
                            [] { return list_rows(kArgExtremeRows, kArgExtremeRowCount); },
                            2 * kFixed,
                            [](Workbench& bench, int index) {
                              Rng& rng = bench.rng();
                              const ElementType type = kTypes[index % static_cast<int>(std::size(kTypes))];
                              if (index >= 2 * kFixed) return make(bench, random_reduction(rng), type, false);
                              const int shape = index / static_cast<int>(std::size(kTypes)) %
                                                static_cast<int>(std::size(kFixedReductions));
                              return make(bench, kFixedReductions[shape], type, false);
                            },
                            static_cast<int>(std::size(kBenchReductions)),
                            [](Workbench& bench, int index) {
                              return make(bench, kBenchReductions[index], ElementType::kFloat32, true);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
