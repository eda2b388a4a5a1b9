#pragma once
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {

/// Case of a float kernel with packed weights: conv_f32, dwconv_f32, fc_f32.
template <class Row, class Shape, class Weights, class Args>
class PackedF32Case : public KernelCase {
 public:
  std::string describe() const override { return description_; }
  void prepare(int row) override {
    packed_[row] = bench_.aligned_input(rows_[row].packed_bytes(pack_shape(shape_)));
    rows_[row].pack(pack_shape(shape_), weights_, packed_[row]);
    scratch_[row] = bench_.scratch(rows_[row].scratch_bytes(shape_));
  }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    args_.scratch = scratch_[row];
    rows_[row].run(shape_, args_, tile);
  }
  double operations() const override { return operations_; }

 protected:
  PackedF32Case(Workbench& bench, const Row* rows, int row_count)
      : bench_(bench), rows_(rows), packed_(row_count), scratch_(row_count) {}

  /// Makes weights, bias and bounds.
  void fill_parameters(size_t weight_count, size_t outputs) {
    float* weights = bench_.input<float>(weight_count);
    float* bias = bench_.input<float>(outputs);
    bench_.fill_floats(weights, weight_count, 0.3f);
    bench_.fill_floats(bias, outputs);
    weights_ = {weights, bias};
    fill_bounds();
  }

  void fill_bounds() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    args_.lo = bench_.rng().chance(0.5) ? -kInfinity : 0.0f;
    args_.hi = bench_.rng().chance(0.6) ? kInfinity : 6.0f;
  }

  const float* make_input(size_t rows, size_t row_count, size_t stride) {
    float* x = bench_.input<float>(rows, row_count, stride);
    bench_.fill_floats(x, (rows - 1) * stride + row_count);
    return x;
  }

  Workbench& bench_;
  const Row* rows_;
  Shape shape_ = {};
  Weights weights_ = {};
  Args args_ = {};
  double operations_ = 0;
  std::string description_;

 private:
  std::vector<uint8_t*> packed_, scratch_;
};

}  // namespace hone::check
