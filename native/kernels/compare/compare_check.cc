#include "native/kernels/compare/compare.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// -1, 0 or 1 as a is below, at or above b; 2 where they cannot be compared.
int order(const CompareArgs& args, int64_t i) {
  const int64_t j = i % args.b_count;
  if (args.type == ElementType::kFloat32) {
    const float a = static_cast<const float*>(args.a)[i], b = static_cast<const float*>(args.b)[j];
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
  }
  const int64_t a = read_integer(args.a, args.type, i), b = read_integer(args.b, args.type, j);
  return a < b ? -1 : a > b ? 1 : 0;
}

class CompareCase : public PlainCase<CompareRow, CompareArgs> {
 public:
  CompareCase(const CompareArgs& args, int64_t count)
      : PlainCase(kCompareRows, args, count, static_cast<double>(count),
                  "comparison " + std::to_string(static_cast<int>(args.comparison)) + " of type " +
                      std::to_string(static_cast<int>(args.type)) + ", " + std::to_string(count) + " and " +
                      std::to_string(args.b_count)) {}

  std::string verify_reference() override {
    /// By comparison: the orders -1, 0, 1 and 2 for which it holds.
    constexpr bool kHolds[kComparisonCount][4] = {{false, true, false, false}, {true, false, true, true},
                                                  {true, false, false, false}, {true, true, false, false},
                                                  {false, false, true, false}, {false, true, true, false}};
    for (int64_t i = 0; i < items_; i++)
      if (args_.y[i] != (kHolds[static_cast<int>(args_.comparison)][order(args_, i) + 1] ? 1 : 0))
        return "element " + std::to_string(i) + " is wrong";
    return {};
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, Comparison comparison, ElementType type, int64_t count,
                                 int64_t b_count) {
  CompareArgs args = {};
  args.comparison = comparison;
  args.type = type;
  args.b_count = b_count;
  args.y = bench.output<uint8_t>(static_cast<size_t>(count));
  void* a = input_of(bench, element_bytes(type), static_cast<size_t>(count));
  void* b = input_of(bench, element_bytes(type), static_cast<size_t>(b_count));
  fill_numbers(bench, type, a, static_cast<size_t>(count));
  fill_numbers(bench, type, b, static_cast<size_t>(b_count));
  args.a = a;
  args.b = b;
  return std::make_unique<CompareCase>(args, count);
}

constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kInt64, ElementType::kInt32,
                                  ElementType::kInt8,    ElementType::kUint8, ElementType::kBool};
const KernelCheck kCheck = {
    "compare",
    [] { return list_rows(kCompareRows, kCompareRowCount); },
    kComparisonCount * 6 * 3,
    [](Workbench& bench, int index) {
      const int64_t b_count = bench.rng().between(1, 40);
      // What begins anew so often is written out for long operands.
      const int64_t times = bench.rng().chance(0.1) ? 1100 : bench.rng().between(1, 5);
      return make(bench, static_cast<Comparison>(index % kComparisonCount),
                  kTypes[index / kComparisonCount % 6], b_count * times, b_count);
    },
    3,
    [](Workbench& bench, int index) {
      const ElementType type = index == 2 ? ElementType::kInt64 : ElementType::kFloat32;
      return make(bench, Comparison::kLess, type, 16384, index == 0 ? 16384 : 1);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
