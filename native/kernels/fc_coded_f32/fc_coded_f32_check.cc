#include <iterator>
#include <string>
#include <vector>

#include "native/kernels/fc_coded_f32/fc_coded_f32.h"
#include "native/tools/check_kernels/coded_weights.h"
#include "native/tools/check_kernels/packed_f32_case.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  FcCodedF32Shape shape;
  int32_t x_gap, y_gap;
};

/// Every kind of code over tails of panels, blocks and steps.
constexpr Spec kFixed[] = {
    {nullptr, {1, 1, 1, 4, 1}, 0, 0},    {nullptr, {1, 64, 64, 4, 32}, 0, 0},
    {nullptr, {1, 33, 17, 4, 32}, 0, 0}, {nullptr, {2, 100, 130, 4, 64}, 1, 2},
    {nullptr, {7, 31, 65, 4, 31}, 0, 0}, {nullptr, {3, 96, 48, 8, 96}, 0, 3},
    {nullptr, {1, 63, 15, 8, 32}, 2, 0}, {nullptr, {1, 32, 16, 4, 0}, 0, 0},
    {nullptr, {4, 65, 79, 4, 0}, 0, 1},  {nullptr, {1, 40, 64, 8, 0}, 0, 0},
    {nullptr, {6, 7, 100, 8, 0}, 3, 0},  {nullptr, {1, 45, 20, 4, 16}, 0, 0},
};
constexpr Spec kBench[] = {
    {"int4-g32 1x1024x1024", {1, 1024, 1024, 4, 32}, 0, 0},
    {"int8 1x1024x1024", {1, 1024, 1024, 8, 1024}, 0, 0},
    {"codebook16 1x1024x1024", {1, 1024, 1024, 4, 0}, 0, 0},
    {"int4-g32 4x1024x1024", {4, 1024, 1024, 4, 32}, 0, 0},
};

class FcCodedF32Case
    : public PackedF32Case<FcCodedF32Row, FcCodedF32Shape, FcCodedF32Weights, FcCodedF32Args> {
 public:
  FcCodedF32Case(Workbench& bench, const Spec& s)
      : PackedF32Case(bench, kFcCodedF32Rows, kFcCodedF32RowCount) {
    shape_ = s.shape;
    const size_t rows = shape_.rows, inputs = shape_.inputs, outputs = shape_.outputs;
    float* bias = bench.input<float>(outputs);
    bench.fill_floats(bias, outputs);
    weights_ = {make_codes(bench, shape_.outputs, shape_.inputs, shape_.bits, shape_.group, true), bias};
    fill_bounds();
    args_.x_stride = shape_.inputs + s.x_gap;
    args_.y_stride = shape_.outputs + s.y_gap;
    args_.x = make_input(rows, inputs, args_.x_stride);
    args_.y = bench.output<float>(rows, outputs, args_.y_stride);
    operations_ = 2.0 * static_cast<double>(rows * inputs * outputs);
    description_ = s.name != nullptr ? s.name
                                     : std::to_string(rows) + "x" + std::to_string(inputs) + "x" +
                                           std::to_string(outputs) + ", " + std::to_string(shape_.bits) +
                                           " bits, groups of " + std::to_string(shape_.group);
  }

  bool fits(int row) const override { return kFcCodedF32Rows[row].fits(shape_); }
  Tile whole(int row) const override {
    const int32_t block = kFcCodedF32Rows[row].block_outputs;
    return {0, shape_.rows, 0, (shape_.outputs + block - 1) / block};
  }
};

Spec random_spec(Rng& rng) {
  const auto any = [&rng](int64_t lo, int64_t hi) { return static_cast<int32_t>(rng.between(lo, hi)); };
  Spec s = {
      nullptr, {rng.chance(0.5) ? 1 : any(2, 14), any(1, 140), any(1, 150), 4, 0}, any(0, 3), any(0, 3)};
  s.shape.bits = rng.chance(0.7) ? 4 : 8;
  constexpr int32_t kGroups[] = {32, 64};
  const int32_t group = rng.pick(kGroups);
  if (rng.chance(0.6)) s.shape.group = s.shape.inputs > group && rng.chance(0.7) ? group : s.shape.inputs;
  return s;
}

const KernelCheck kCheck = {"fc_coded_f32",
                            [] { return list_rows(kFcCodedF32Rows, kFcCodedF32RowCount); },
                            static_cast<int>(std::size(kFixed)) * 4,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const int fixed = static_cast<int>(std::size(kFixed));
                              return std::make_unique<FcCodedF32Case>(bench, index < 4 * fixed
                                                                                 ? kFixed[index % fixed]
                                                                                 : random_spec(bench.rng()));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<FcCodedF32Case>(bench, kBench[index]);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
