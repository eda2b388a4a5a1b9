#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "native/kernels/fc_s8/fc_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

struct Spec {
  FcS8Shape shape;
  int32_t x_gap, y_gap;
};

// Outputs around blocks of 8 and 16 and sets of 1 to 4 blocks; inputs around groups of 2 to 16 and chains of
// 4 and 8 groups; rows around micro-kernels and scratch.
constexpr Spec kFixed[] = {
    {{1, 1, 1}, 0, 0},    {{1, 64, 12}, 0, 0},  {{1, 640, 128}, 0, 0}, {{1, 7, 16}, 0, 0},
    {{1, 31, 17}, 0, 0},  {{1, 32, 64}, 0, 0},  {{1, 33, 65}, 0, 0},   {{1, 63, 100}, 0, 0},
    {{2, 8, 8}, 3, 1},    {{6, 16, 64}, 0, 0},  {{7, 40, 80}, 1, 0},   {{13, 15, 33}, 0, 5},
    {{49, 17, 48}, 0, 0}, {{50, 64, 31}, 2, 2}, {{1, 1000, 10}, 0, 0}, {{97, 3, 130}, 0, 0},
    {{5, 128, 1}, 0, 0},  {{1, 4, 200}, 0, 0},  {{1, 9000, 17}, 0, 0}, {{6, 9000, 5}, 0, 0},
};

struct BenchSpec {
  const char* name;
  FcS8Shape shape;
};
constexpr BenchSpec kBench[] = {
    {"1x640x128", {1, 640, 128}},     {"1x128x128", {1, 128, 128}},       {"1x64x12", {1, 64, 12}},
    {"1x64x10", {1, 64, 10}},         {"4x128x16", {4, 128, 16}},         {"1x2048x1000", {1, 2048, 1000}},
    {"1x1280x1000", {1, 1280, 1000}}, {"128x256x1024", {128, 256, 1024}}, {"128x768x3072", {128, 768, 3072}},
};

class FcS8Case : public KernelCase {
 public:
  FcS8Case(Workbench& bench, const Spec& spec, bool plain, const std::string& name,
           bool with_zero_points = false)
      : bench_(bench), shape_(spec.shape), packed_(kFcS8RowCount), scratch_(kFcS8RowCount) {
    const size_t count = static_cast<size_t>(shape_.outputs) * shape_.inputs;
    S8Weights w = make_s8_weights(bench, count, shape_.outputs, shape_.inputs, plain);
    if (with_zero_points) add_zero_points(bench, count, shape_.outputs, &w);
    weights_ = {w.weights, w.bias, w.multiplier, w.zero_points, w.x_zero_point};
    args_ = {};
    args_.x_stride = shape_.inputs + spec.x_gap;
    args_.y_stride = shape_.outputs + spec.y_gap;
    args_.range = make_s8_range(bench, plain);
    const size_t x_bytes = static_cast<size_t>(shape_.rows - 1) * args_.x_stride + shape_.inputs;
    int8_t* x = bench.input<int8_t>(shape_.rows, shape_.inputs, args_.x_stride);
    bench.fill_bytes(x, x_bytes);
    args_.x = x;
    args_.y = bench.output<int8_t>(shape_.rows, shape_.outputs, args_.y_stride);
    char text[96];
    snprintf(text, sizeof(text), "%dx%dx%d gaps %d,%d", shape_.rows, shape_.inputs, shape_.outputs,
             spec.x_gap, spec.y_gap);
    description_ = !name.empty() ? name : text;
  }

  std::string describe() const override { return description_; }
  bool fits(int row) const override { return kFcS8Rows[row].fits(shape_); }
  void prepare(int row) override {
    const FcS8Row& r = kFcS8Rows[row];
    packed_[row] = bench_.aligned_input(r.packed_bytes(pack_shape(shape_)));
    r.pack(pack_shape(shape_), weights_, packed_[row]);
    scratch_[row] = bench_.scratch(r.scratch_bytes(shape_));
  }
  Tile whole(int row) const override {
    const int32_t block = kFcS8Rows[row].block_outputs;
    return {0, shape_.rows, 0, (shape_.outputs + block - 1) / block};
  }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    args_.scratch = scratch_[row];
    kFcS8Rows[row].run(shape_, args_, tile);
  }
  double operations() const override { return 2.0 * shape_.rows * shape_.inputs * shape_.outputs; }

 private:
  Workbench& bench_;
  FcS8Shape shape_;
  FcS8Weights weights_;
  FcS8Args args_;
  std::string description_;
  std::vector<uint8_t*> packed_, scratch_;
};

Spec random_spec(Rng& rng) {
  static constexpr int32_t kGaps[] = {0, 0, 1, 13};
  const int32_t rows = rng.chance(0.5) ? 1 : static_cast<int32_t>(rng.between(1, rng.chance(0.9) ? 14 : 120));
  const int32_t inputs = static_cast<int32_t>(rng.between(1, rng.chance(0.5) ? 40 : 300));
  const int32_t outputs = static_cast<int32_t>(rng.between(1, rng.chance(0.5) ? 40 : 200));
  return {{rows, inputs, outputs}, rng.pick(kGaps), rng.pick(kGaps)};
}

const KernelCheck kCheck = {"fc_s8",
                            [] { return list_rows(kFcS8Rows, kFcS8RowCount); },
                            static_cast<int>(std::size(kFixed)) * 4,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const int fixed = static_cast<int>(std::size(kFixed));
                              const Spec spec =
                                  index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng());
                              return std::make_unique<FcS8Case>(bench, spec, index < fixed, "");
                            },
                            2 * static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const S8Bench which = s8_bench(index, static_cast<int>(std::size(kBench)));
                              const auto& [name, shape] = kBench[which.shape];
                              return std::make_unique<FcS8Case>(bench, Spec{shape, 0, 0}, true,
                                                                which.name(name), which.with_zero_points);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
