#include "native/kernels/fill/fill.h"

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

/// Compares what ref wrote with the value: there is no other row.
class FillCase : public PlainCase<FillRow, FillArgs> {
 public:
  FillCase(const FillArgs& args, const RowLayout& layout)
      : PlainCase(kFillRows, args, layout.count(), static_cast<double>(layout.count()),
                  layout.text() + " of " + std::to_string(args.element_bytes)) {}

  std::string verify_reference() override {
    const int64_t row_bytes = args_.length * args_.element_bytes;
    for (int64_t i = 0; i < items_ * args_.element_bytes; i++) {
      const uint8_t expected = static_cast<uint8_t>(args_.value >> (8 * (i % args_.element_bytes)));
      const int64_t at = i / row_bytes * args_.y_stride * args_.element_bytes + i % row_bytes;
      if (args_.y[at] != expected) return "byte " + std::to_string(at) + " differs from the value";
    }
    return {};
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, const RowLayout& layout, int32_t element_bytes) {
  FillArgs args = {};
  args.length = layout.length;
  args.y_stride = pick_stride(bench.rng(), layout);
  args.value = bench.rng().next();
  args.element_bytes = element_bytes;
  const auto output = [&](auto element) {
    using Element = decltype(element);
    return reinterpret_cast<uint8_t*>(bench.output<Element>(layout.rows, layout.length, args.y_stride));
  };
  args.y = element_bytes == 1   ? output(uint8_t{})
           : element_bytes == 2 ? output(uint16_t{})
           : element_bytes == 4 ? output(uint32_t{})
                                : output(uint64_t{});
  return std::make_unique<FillCase>(args, layout);
}

const KernelCheck kCheck = {
    "fill",
    [] { return list_rows(kFillRows, kFillRowCount); },
    200,
    [](Workbench& bench, int index) {
      return make(bench, cut_rows(bench.rng(), 1 + index / 4), 1 << index % 4);
    },
    2,
    [](Workbench& bench, int index) { return make(bench, {1, 16384}, index == 0 ? 1 : 4); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
