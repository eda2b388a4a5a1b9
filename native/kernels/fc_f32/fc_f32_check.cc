#include <iterator>

#include "native/kernels/fc_f32/fc_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/packed_f32_case.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  FcF32Shape shape;
  int32_t x_gap, y_gap;
};

constexpr Spec kFixed[] = {
    {"1x1x1", {1, 1, 1}, 0, 0},   {"1x84x10", {1, 84, 10}, 0, 0}, {"2x3x7", {2, 3, 7}, 1, 2},
    {"3x5x8", {3, 5, 8}, 0, 3},   {"1x17x31", {1, 17, 31}, 0, 0}, {"1x9x32", {1, 9, 32}, 0, 0},
    {"2x4x33", {2, 4, 33}, 0, 0}, {"1x12x63", {1, 12, 63}, 0, 0}, {"1x2x64", {1, 2, 64}, 0, 0},
    {"1x6x65", {1, 6, 65}, 0, 0}, {"1x1x129", {1, 1, 129}, 0, 0}, {"4x30x100", {4, 30, 100}, 5, 1},
    {"6x7x16", {6, 7, 16}, 0, 0}, {"10x5x48", {10, 5, 48}, 2, 0}, {"13x20x70", {13, 20, 70}, 0, 3},
};
constexpr Spec kBench[] = {
    {"400-120", {1, 400, 120}, 0, 0},       {"120-84", {1, 120, 84}, 0, 0},
    {"84-10", {1, 84, 10}, 0, 0},           {"1280-1000", {1, 1280, 1000}, 0, 0},
    {"128x512x512", {128, 512, 512}, 0, 0},
};

class FcF32Case : public PackedF32Case<FcF32Row, FcF32Shape, FcF32Weights, FcF32Args> {
 public:
  FcF32Case(Workbench& bench, const Spec& s) : PackedF32Case(bench, kFcF32Rows, kFcF32RowCount) {
    shape_ = s.shape;
    const size_t rows = shape_.rows, inputs = shape_.inputs, outputs = shape_.outputs;
    fill_parameters(inputs * outputs, outputs);
    args_.x_stride = shape_.inputs + s.x_gap;
    args_.y_stride = shape_.outputs + s.y_gap;
    args_.x = make_input(rows, inputs, args_.x_stride);
    args_.y = bench.output<float>(rows, outputs, args_.y_stride);
    operations_ = 2.0 * static_cast<double>(rows * inputs * outputs);
    description_ = s.name != nullptr
                       ? s.name
                       : std::to_string(rows) + "x" + std::to_string(inputs) + "x" + std::to_string(outputs);
  }

  Tile whole(int row) const override {
    const int32_t block = kFcF32Rows[row].block_outputs;
    return {0, shape_.rows, 0, (shape_.outputs + block - 1) / block};
  }
};

Spec random_spec(Rng& rng) {
  const auto any = [&rng](int64_t lo, int64_t hi) { return static_cast<int32_t>(rng.between(lo, hi)); };
  return {nullptr, {rng.chance(0.5) ? 1 : any(2, 14), any(1, 50), any(1, 150)}, any(0, 3), any(0, 3)};
}

const KernelCheck kCheck = {"fc_f32",
                            [] { return list_rows(kFcF32Rows, kFcF32RowCount); },
                            static_cast<int>(std::size(kFixed)) * 4,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const int fixed = static_cast<int>(std::size(kFixed));
                              return std::make_unique<FcF32Case>(bench, index < 4 * fixed
                                                                            ? kFixed[index % fixed]
                                                                            : random_spec(bench.rng()));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<FcF32Case>(bench, kBench[index]);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
