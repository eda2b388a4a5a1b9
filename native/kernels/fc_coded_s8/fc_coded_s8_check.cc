#include <iterator>
#include <string>
#include <vector>

#include "native/kernels/fc_coded_s8/fc_coded_s8.h"
#include "native/tools/check_kernels/coded_weights.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  FcCodedS8Shape shape;
  int32_t x_gap, y_gap;
};

/// Tails of blocks, pairs of groups and rows.
constexpr Spec kFixed[] = {
    {nullptr, {1, 1, 1}, 0, 0},    {nullptr, {1, 64, 16}, 0, 0}, {nullptr, {1, 7, 17}, 0, 0},
    {nullptr, {2, 33, 15}, 1, 2},  {nullptr, {3, 16, 64}, 0, 0}, {nullptr, {4, 31, 20}, 2, 0},
    {nullptr, {5, 100, 33}, 0, 3}, {nullptr, {9, 8, 48}, 0, 0},  {nullptr, {1, 4000, 16}, 0, 0},
    {nullptr, {1, 2, 40}, 0, 0},   {nullptr, {1, 5, 5}, 0, 0},   {nullptr, {7, 129, 18}, 0, 0},
};
constexpr Spec kBench[] = {
    {"1x1024x1024", {1, 1024, 1024}, 0, 0},
    {"4x1024x1024", {4, 1024, 1024}, 0, 0},
};

class FcCodedS8Case : public KernelCase {
 public:
  FcCodedS8Case(Workbench& bench, const Spec& spec)
      : bench_(bench), shape_(spec.shape), packed_(kFcCodedS8RowCount), scratch_(kFcCodedS8RowCount) {
    const bool plain = spec.name != nullptr;
    const S8Weights made = make_s8_weights(bench, 1, shape_.outputs, shape_.inputs, plain);
    const bool narrow = bench.rng().chance(0.5);
    weights_ = {make_codes(bench, shape_.outputs, shape_.inputs, 4, narrow ? 1 : 0, false), made.bias,
                made.multiplier, made.x_zero_point};
    args_.x_stride = shape_.inputs + spec.x_gap;
    args_.y_stride = shape_.outputs + spec.y_gap;
    args_.range = make_s8_range(bench, plain);
    const size_t x_bytes = static_cast<size_t>(shape_.rows - 1) * args_.x_stride + shape_.inputs;
    int8_t* x = bench.input<int8_t>(shape_.rows, shape_.inputs, args_.x_stride);
    bench.fill_bytes(x, x_bytes);
    args_.x = x;
    args_.y = bench.output<int8_t>(shape_.rows, shape_.outputs, args_.y_stride);
    description_ = plain ? spec.name
                         : std::to_string(shape_.rows) + "x" + std::to_string(shape_.inputs) + "x" +
                               std::to_string(shape_.outputs) + (narrow ? ", narrow" : ", codebook");
  }

  std::string describe() const override { return description_; }
  void prepare(int row) override {
    const FcCodedS8Row& each = kFcCodedS8Rows[row];
    packed_[row] = bench_.aligned_input(each.packed_bytes(pack_shape(shape_)));
    each.pack(pack_shape(shape_), weights_, packed_[row]);
    scratch_[row] = bench_.scratch(each.scratch_bytes(shape_));
  }
  Tile whole(int row) const override {
    const int32_t block = kFcCodedS8Rows[row].block_outputs;
    return {0, shape_.rows, 0, (shape_.outputs + block - 1) / block};
  }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    args_.scratch = scratch_[row];
    kFcCodedS8Rows[row].run(shape_, args_, tile);
  }
  double operations() const override {
    return 2.0 * static_cast<double>(int64_t{shape_.rows} * shape_.inputs * shape_.outputs);
  }

 private:
  Workbench& bench_;
  FcCodedS8Shape shape_;
  FcCodedS8Weights weights_{};
  FcCodedS8Args args_{};
  std::string description_;
  std::vector<uint8_t*> packed_, scratch_;
};

Spec random_spec(Rng& rng) {
  const auto any = [&rng](int64_t lo, int64_t hi) { return static_cast<int32_t>(rng.between(lo, hi)); };
  return {nullptr, {rng.chance(0.5) ? 1 : any(2, 11), any(1, 140), any(1, 80)}, any(0, 3), any(0, 3)};
}

const KernelCheck kCheck = {"fc_coded_s8",
                            [] { return list_rows(kFcCodedS8Rows, kFcCodedS8RowCount); },
                            static_cast<int>(std::size(kFixed)) * 4,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const int fixed = static_cast<int>(std::size(kFixed));
                              return std::make_unique<FcCodedS8Case>(bench, index < 4 * fixed
                                                                                ? kFixed[index % fixed]
                                                                                : random_spec(bench.rng()));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<FcCodedS8Case>(bench, kBench[index]);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
