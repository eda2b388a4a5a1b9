#include <iterator>
#include <limits>

#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

constexpr int64_t kCounts[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100};

std::unique_ptr<KernelCase> make(Workbench& bench, const RowLayout& layout) {
  Rng& rng = bench.rng();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ClampF32Args args = {};
  float* x = place_rows<float>(bench, layout, 0.5, &args);
  bench.fill_floats(x, layout.span(args.x_stride), 4.0f);
  args.lo = rng.chance(0.3) ? -kInfinity : rng.chance(0.6) ? 0.0f : -1.5f;
  args.hi = rng.chance(0.5) ? kInfinity : 6.0f;
  return std::make_unique<PlainCase<ClampF32Row, ClampF32Args>>(
      kClampF32Rows, args, layout.count(), static_cast<double>(layout.count()),
      layout.text() + (x == args.y ? " in place" : " elements"));
}

const KernelCheck kCheck = {"clamp_f32",
                            [] { return list_rows(kClampF32Rows, kClampF32RowCount); },
                            static_cast<int>(std::size(kCounts)) * 4,
                            [](Workbench& bench, int index) {
                              const int fixed = static_cast<int>(std::size(kCounts));
                              return make(bench, index < 4 * fixed
                                                     ? cut_rows(bench.rng(), kCounts[index % fixed])
                                                     : random_rows(bench.rng(), 200));
                            },
                            1,
                            [](Workbench& bench, int) { return make(bench, {1, 16384}); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
