#include "native/kernels/fill/fill.h"

#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

/// Compares what ref wrote with the value: there is no other row.
class FillCase : public PlainCase<FillRow, FillArgs> {
 public:
  FillCase(const FillArgs& args, int64_t count)
      : PlainCase(kFillRows, args, count, static_cast<double>(count),
                  std::to_string(count) + " of " + std::to_string(args.element_bytes)) {}

  std::string verify_reference() override {
    for (int64_t i = 0; i < items_ * args_.element_bytes; i++) {
      const uint8_t expected = static_cast<uint8_t>(args_.value >> (8 * (i % args_.element_bytes)));
      if (args_.y[i] != expected) return "byte " + std::to_string(i) + " differs from the value";
    }
    return {};
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int64_t count, int32_t element_bytes) {
  FillArgs args = {nullptr, static_cast<uint32_t>(bench.rng().next()), element_bytes};
  args.y = element_bytes == 1 ? bench.output<uint8_t>(count)
                              : reinterpret_cast<uint8_t*>(bench.output<uint32_t>(count));
  return std::make_unique<FillCase>(args, count);
}

const KernelCheck kCheck = {
    "fill", [] { return list_rows(kFillRows, kFillRowCount); },
    100,    [](Workbench& bench, int index) { return make(bench, 1 + index / 2, index % 2 == 0 ? 1 : 4); },
    2,      [](Workbench& bench, int index) { return make(bench, 16384, index == 0 ? 1 : 4); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
