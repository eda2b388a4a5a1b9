#include "native/kernels/skip/skip.h"

#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

class SkipCase : public PlainCase<SkipRow, SkipArgs> {
 public:
  explicit SkipCase(const SkipArgs& args)
      : PlainCase(kSkipRows, args, 1, 1,
                  "condition " + std::to_string(*args.x) + " against " + std::to_string(args.value)) {}

  std::string verify_reference() override {
    const bool met = *args_.x == 0 ? args_.value == 0 : args_.value == 1;
    return *args_.y == (met ? 1 : 0) ? "" : "the condition is misread";
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int index) {
  SkipArgs args = {};
  uint8_t* x = bench.input<uint8_t>(1);
  *x = index < 2 ? static_cast<uint8_t>(index) : static_cast<uint8_t>(bench.rng().between(0, 255));
  args.x = x;
  args.y = bench.output<uint8_t>(1);
  args.value = static_cast<int32_t>(bench.rng().between(0, 1));
  return std::make_unique<SkipCase>(args);
}

const KernelCheck kCheck = {"skip", [] { return list_rows(kSkipRows, kSkipRowCount); }, 16, make, 1, make};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
