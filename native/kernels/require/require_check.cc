#include "native/kernels/require/require.h"

#include <cstring>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

class RequireCase : public PlainCase<RequireRow, RequireArgs> {
 public:
  explicit RequireCase(const RequireArgs& args)
      : PlainCase(
            kRequireRows, args, 1, 1,
            "condition " + std::to_string(*args.condition) + ", " + std::to_string(args.bytes) + " bytes") {}

  std::string verify_reference() override {
    if (std::memcmp(args_.y, args_.x, args_.bytes) != 0) return "y is not x";
    return *args_.out_of_range == (*args_.condition == 0 ? 1u : 0u) ? "" : "the condition is misread";
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int index) {
  Rng& rng = bench.rng();
  RequireArgs args = {};
  args.bytes = static_cast<size_t>(rng.between(1, 100));
  args.y = bench.output<uint8_t>(args.bytes);
  uint8_t* x = bench.input<uint8_t>(args.bytes);
  fill_numbers(bench, ElementType::kUint8, x, args.bytes);
  args.x = x;
  uint8_t* condition = bench.input<uint8_t>(1);
  *condition = static_cast<uint8_t>(index < 2 ? index : rng.between(0, 255));
  args.condition = condition;
  args.out_of_range = flag_of(bench);
  return std::make_unique<RequireCase>(args);
}

const KernelCheck kCheck = {"require", [] { return list_rows(kRequireRows, kRequireRowCount); }, 16, make, 1,
                            make};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
