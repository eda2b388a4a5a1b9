#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "native/engine/plan_check.h"

namespace hone {
namespace {

using Fault = std::string;

/// |value|, also of the least int64.
uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

/// The operands of a node by place, and what they must be. Each method returns a fault in words, or nothing.
class NodeChecker {
 public:
  NodeChecker(const Plan& plan, const PlanNode& node) : plan_(plan), node_(node), y_(plan.output(node)) {
    for (uint32_t i = 0; i < in_.size(); ++i) in_[i] = plan.input(node, i);
  }

  Fault check() const {
    Fault fault = check_operation();
    return fault.empty() ? check_overlap() : fault;
  }

 private:
  Fault check_operation() const {
    switch (node_.op) {
      case PlanOp::kQuantizeS8:
        return is_float(*in_[0]) && is_grid(y_) ? check_border(*in_[0], y_) : Fault("types of operands");
      case PlanOp::kDequantizeS8:
        return is_grid(*in_[0]) && is_float(y_) ? check_border(y_, *in_[0]) : Fault("types of operands");
      case PlanOp::kConvS8:
      case PlanOp::kDwconvS8:
        return is_grid(*in_[0]) && is_grid(y_) ? check_conv_s8() : Fault("types of operands");
      case PlanOp::kConvF32:
      case PlanOp::kDwconvF32:
        return check_conv_f32();
      case PlanOp::kFcS8:
      case PlanOp::kFcF32:
        return check_fc();
      case PlanOp::kBinaryS8:
      case PlanOp::kBinaryF32:
        return check_binary();
      case PlanOp::kLutS8:
        if (element_bytes(y_.type) != 1 || element_bytes(in_[0]->type) != 1) return "types of operands";
        if (count_elements(y_) != count_elements(*in_[0])) return "extents of operands";
        return is_constant(*in_[1], PlanType::kUint8, 256) ? Fault()
                                                           : Fault("the table is not 256 bytes of uint8");
      case PlanOp::kMaxPoolS8:
      case PlanOp::kAveragePoolS8:
      case PlanOp::kMaxPoolF32:
      case PlanOp::kAveragePoolF32:
        return check_pool();
      case PlanOp::kCopyNd:
        return in_[0]->type == y_.type ? check_copy() : Fault("types of operands");
      case PlanOp::kFill:
        return {};
      case PlanOp::kSoftmaxF32:
        if (!is_float(*in_[0]) || !is_float(y_)) return "types of operands";
        return same_rows(y_, *in_[0]) ? Fault() : Fault("extents of operands");
      case PlanOp::kClampF32:
        if (!is_float(*in_[0]) || !is_float(y_)) return "types of operands";
        if (count_elements(y_) != count_elements(*in_[0])) return "extents of operands";
        return check_clamp(plan_.params<PlanClamp>(node_));
    }
    return "unknown operation";
  }

  static bool is_float(const PlanTensor& tensor) { return tensor.type == PlanType::kFloat32; }
  /// int8 with a scale: finite was checked before, so only zero is left to refuse.
  static bool is_grid(const PlanTensor& tensor) { return tensor.type == PlanType::kInt8 && tensor.scale > 0; }
  static bool is_constant(const PlanTensor& tensor, PlanType type, int64_t count) {
    return tensor.place == PlanPlace::kConstant && tensor.type == type && count_elements(tensor) == count;
  }
  static bool same_dims(const PlanTensor& a, const PlanTensor& b) {
    return a.rank == b.rank && std::equal(a.dims, a.dims + a.rank, b.dims);
  }

  /// As many elements in rows of the same length.
  static bool same_rows(const PlanTensor& a, const PlanTensor& b) {
    return a.rank >= 1 && b.rank >= 1 && a.dims[a.rank - 1] == b.dims[b.rank - 1] &&
           count_elements(a) == count_elements(b);
  }

  static Fault check_clamp(const PlanClamp& clamp) {
    if (clamp.qmin < -128 || clamp.qmax > 127 || clamp.qmin > clamp.qmax) return "int8 bounds";
    if (!(clamp.lo <= clamp.hi)) return "float bounds";  // false for NaN
    return {};
  }

  /// Either equal dims, or the float side is [N, C, spatial...] and the int8 side [N, spatial..., C].
  Fault check_border(const PlanTensor& real, const PlanTensor& grid) const {
    const PlanBorder& border = plan_.params<PlanBorder>(node_);
    if (border.channels_first != 0 && border.channels_first != 1) return "channels_first is no flag";
    if (border.channels_first == 0) return same_dims(real, grid) ? Fault() : Fault("extents of operands");
    if (real.rank < 2 || real.rank != grid.rank) return "extents of operands";
    const bool same = real.dims[0] == grid.dims[0] && real.dims[1] == grid.dims[grid.rank - 1] &&
                      std::equal(real.dims + 2, real.dims + real.rank, grid.dims + 1);
    return same ? Fault() : Fault("extents of operands");
  }

  /// Window over x and y, both [N, H, W, C]: every position stays far inside int32.
  Fault check_window(const PlanWindow& window) const {
    const PlanTensor& x = *in_[0];
    if (x.rank != 4 || y_.rank != 4 || x.dims[0] != y_.dims[0]) return "extents of operands";
    const auto axis_fits = [](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation,
                              int64_t pad) {
      if (kernel < 1 || stride < 1 || dilation < 1 || pad < 0) return false;
      const int64_t reach = (out - 1) * stride + (kernel - 1) * dilation;
      return kernel < kPlanMaxWindowReach && pad < kPlanMaxWindowReach && reach < kPlanMaxWindowReach &&
             in < kPlanMaxWindowReach;
    };
    const bool fits = axis_fits(x.dims[1], y_.dims[1], window.kernel_h, window.stride_h, window.dilation_h,
                                window.pad_top) &&
                      axis_fits(x.dims[2], y_.dims[2], window.kernel_w, window.stride_w, window.dilation_w,
                                window.pad_left);
    if (!fits) return "window";
    const int64_t x_count = count_elements(x);
    const int64_t y_count = count_elements(y_);
    if (x_count >= kPlanMaxWindowReach || y_count >= kPlanMaxWindowReach)
      return "a tensor is too large for a window";
    // Kernels copy bands of the padded input into scratch memory: it must stay in proportion.
    const auto padded = [](int64_t out, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
      return static_cast<double>(pad + (out - 1) * stride + (kernel - 1) * dilation + 1);
    };
    const double area =
        padded(y_.dims[1], window.kernel_h, window.stride_h, window.dilation_h, window.pad_top) *
        padded(y_.dims[2], window.kernel_w, window.stride_w, window.dilation_w, window.pad_left);
    const double limit = 64.0 * static_cast<double>(x_count + y_count) + (1 << 20);
    return area * x.dims[3] <= limit ? Fault() : Fault("the padded input is out of proportion");
  }

  /// Channels, groups and the shape of the weights; `outputs` receives the number of output channels.
  Fault check_conv_shape(const PlanConv& conv, bool depthwise, PlanType type, int64_t* outputs) const {
    if (Fault fault = check_window(conv.window); !fault.empty()) return fault;
    if (Fault fault = check_clamp(conv.clamp); !fault.empty()) return fault;
    const PlanTensor& w = *in_[1];
    if (w.place != PlanPlace::kConstant || w.type != type) return "weights are no constant of the right type";
    const int64_t x_channels = in_[0]->dims[3];
    const int64_t y_channels = y_.dims[3];
    const int64_t groups = conv.groups;
    *outputs = y_channels;
    const uint32_t* kernel = depthwise ? w.dims : w.dims + 1;
    const bool kernel_fits = w.rank == (depthwise ? 3 : 4) &&
                             kernel[0] == static_cast<uint32_t>(conv.window.kernel_h) &&
                             kernel[1] == static_cast<uint32_t>(conv.window.kernel_w);
    if (!kernel_fits) return "extents of the weights";
    if (depthwise)
      return groups == x_channels && groups == y_channels && groups == w.dims[2] ? Fault()
                                                                                 : Fault("channels");
    const bool channels_fit = groups >= 1 && x_channels % groups == 0 && y_channels % groups == 0 &&
                              w.dims[0] == y_channels && w.dims[3] == x_channels / groups;
    return channels_fit ? Fault() : Fault("channels");
  }

  Fault check_conv_s8() const {
    const PlanConv& conv = plan_.params<PlanConv>(node_);
    const bool depthwise = node_.op == PlanOp::kDwconvS8;
    int64_t outputs = 0;
    if (Fault fault = check_conv_shape(conv, depthwise, PlanType::kInt8, &outputs); !fault.empty())
      return fault;
    if (const PlanTensor* residual = in_[5]) {
      if (!is_grid(*residual) || !same_dims(*residual, y_)) return "residual";
      if (!std::isfinite(conv.conv_scale) || conv.conv_scale <= 0)
        return "scale of the convolution before the sum";
      if (conv.conv_zero_point < -128 || conv.conv_zero_point > 127)
        return "zero point of the convolution before the sum";
      if (Fault fault = check_clamp(conv.add_clamp); !fault.empty()) return fault;
    }
    // Depthwise weights are [KH, KW, C]: the channel runs fastest.
    const int64_t count = count_elements(*in_[1]) / std::max<int64_t>(outputs, 1);
    return check_accumulators(outputs, depthwise ? 1 : count, depthwise ? outputs : 1, count);
  }

  Fault check_conv_f32() const {
    if (!is_float(*in_[0]) || !is_float(y_)) return "types of operands";
    int64_t outputs = 0;
    const bool depthwise = node_.op == PlanOp::kDwconvF32;
    const PlanConv& conv = plan_.params<PlanConv>(node_);
    if (Fault fault = check_conv_shape(conv, depthwise, PlanType::kFloat32, &outputs); !fault.empty())
      return fault;
    return is_constant(*in_[2], PlanType::kFloat32, outputs) ? Fault() : Fault("bias");
  }

  /// x [M, K] with any leading dims, w [N, K], y [M, N].
  Fault check_fc() const {
    const bool integer = node_.op == PlanOp::kFcS8;
    const PlanTensor& x = *in_[0];
    const PlanTensor& w = *in_[1];
    if (integer ? !is_grid(x) || !is_grid(y_) : !is_float(x) || !is_float(y_)) return "types of operands";
    if (w.place != PlanPlace::kConstant || w.type != x.type || w.rank != 2) return "weights";
    const int64_t outputs = w.dims[0];
    const int64_t inputs = w.dims[1];
    const int64_t rows = count_elements(x) / inputs;
    if (rows * inputs != count_elements(x) || rows * outputs != count_elements(y_))
      return "extents of operands";
    if (std::max({rows, inputs, outputs}) >= kPlanMaxWindowReach) return "a matrix is too large";
    if (Fault fault = check_clamp(plan_.params<PlanClamp>(node_)); !fault.empty()) return fault;
    if (integer) return check_accumulators(outputs, inputs, 1, inputs);
    return is_constant(*in_[2], PlanType::kFloat32, outputs) ? Fault() : Fault("bias");
  }

  /// Bias, multipliers, weight zero points, and the proof: |bias| + max|x - zx| * sum|w - zw| < 2^31 for
  /// every output. Weight k of output o is at o * output_step + k * step.
  Fault check_accumulators(int64_t outputs, int64_t output_step, int64_t step, int64_t count) const {
    if (!is_constant(*in_[2], PlanType::kInt32, outputs)) return "bias";
    if (!is_constant(*in_[3], PlanType::kFloat32, outputs)) return "multipliers";
    if (in_[4] != nullptr && !is_constant(*in_[4], PlanType::kInt8, outputs))
      return "zero points of the weights";
    const int8_t* weights = plan_.constant<int8_t>(*in_[1]);
    const int32_t* bias = plan_.constant<int32_t>(*in_[2]);
    const float* multiplier = plan_.constant<float>(*in_[3]);
    const int8_t* zero_points = in_[4] == nullptr ? nullptr : plan_.constant<int8_t>(*in_[4]);
    const int64_t x_zero_point = in_[0]->zero_point;
    const int64_t largest_x = std::max(127 - x_zero_point, x_zero_point + 128);
    for (int64_t o = 0; o < outputs; ++o) {
      if (!std::isfinite(multiplier[o]) || multiplier[o] <= 0)
        return "a multiplier is not finite and positive";
      const int32_t zero_point = zero_points == nullptr ? 0 : zero_points[o];
      const int8_t* w = weights + o * output_step;
      int64_t sum = 0;
      for (int64_t k = 0; k < count; ++k) sum += std::abs(w[k * step] - zero_point);
      if (std::abs(static_cast<int64_t>(bias[o])) + largest_x * sum >= int64_t{1} << 31)
        return "the accumulator of output channel " + std::to_string(o) + " can overflow";
    }
    return {};
  }

  Fault check_binary() const {
    const PlanBinary& binary = plan_.params<PlanBinary>(node_);
    const bool integer = node_.op == PlanOp::kBinaryS8;
    for (const PlanTensor* operand : {in_[0], in_[1], &y_})
      if (integer ? !is_grid(*operand) : !is_float(*operand)) return "types of operands";
    if (binary.operation != 0 && binary.operation != 1) return "operation";
    const int64_t count = count_elements(y_);
    if (count_elements(*in_[0]) != count || count % count_elements(*in_[1]) != 0)
      return "extents of operands";
    return check_clamp(binary.clamp);
  }

  Fault check_pool() const {
    const PlanPool& pool = plan_.params<PlanPool>(node_);
    const bool integer = node_.op == PlanOp::kMaxPoolS8 || node_.op == PlanOp::kAveragePoolS8;
    for (const PlanTensor* operand : {in_[0], &y_})
      if (integer ? !is_grid(*operand) : !is_float(*operand)) return "types of operands";
    if (Fault fault = check_window(pool.window); !fault.empty()) return fault;
    if (in_[0]->dims[3] != y_.dims[3]) return "channels";
    if (static_cast<int64_t>(pool.window.kernel_h) * pool.window.kernel_w > kPlanMaxPoolArea) return "window";
    if (pool.count_include_pad != 0 && pool.count_include_pad != 1) return "count_include_pad is no flag";
    const float ratio = in_[0]->scale / y_.scale;
    if (node_.op == PlanOp::kAveragePoolS8 && (!std::isfinite(ratio) || ratio <= 0)) return "ratio of scales";
    // Kernels without a fused clamp: bounds that would be ignored are a defect of whoever wrote the plan.
    const PlanClamp& clamp = pool.clamp;
    const bool free_int8 = clamp.qmin == -128 && clamp.qmax == 127;
    const bool free_float = clamp.lo == -INFINITY && clamp.hi == INFINITY;
    if (!free_float || (node_.op != PlanOp::kAveragePoolS8 && !free_int8)) return "this pool takes no bounds";
    return check_clamp(clamp);
  }

  /// Reads stay in x, writes stay in y and meet no element twice.
  Fault check_copy() const {
    const PlanCopy& copy = plan_.params<PlanCopy>(node_);
    if (copy.rank < 1 || copy.rank > static_cast<int32_t>(kPlanMaxRank)) return "rank";
    for (int32_t d = 0; d < copy.rank; ++d)
      if (copy.extents[d] < 1 || copy.extents[d] > static_cast<int64_t>(kPlanMaxMemory)) return "extents";
    if (!copy_stays_inside(copy, copy.src_offset, copy.src_strides, count_elements(*in_[0])))
      return "it reads outside x";
    if (!copy_stays_inside(copy, copy.dst_offset, copy.dst_strides, count_elements(y_)))
      return "it writes outside y";

    // Taken by ascending stride, each step must leave behind everything that the smaller strides reach.
    int64_t span = 0;
    std::array<bool, kPlanMaxRank> done{};
    for (int32_t round = 0; round < copy.rank; ++round) {
      int32_t least = -1;
      for (int32_t d = 0; d < copy.rank; ++d)
        if (!done[d] && (least < 0 || magnitude(copy.dst_strides[d]) < magnitude(copy.dst_strides[least])))
          least = d;
      done[least] = true;
      if (copy.extents[least] == 1) continue;
      const int64_t stride = std::abs(copy.dst_strides[least]);
      if (stride <= span) return "it writes an element twice";
      span += stride * (copy.extents[least] - 1);
    }
    return {};
  }

  static bool copy_stays_inside(const PlanCopy& copy, int64_t offset, const int64_t* strides, int64_t count) {
    if (offset < 0 || offset >= count) return false;
    int64_t low = offset;
    int64_t high = offset;
    for (int32_t d = 0; d < copy.rank; ++d) {
      if (copy.extents[d] == 1) continue;
      const int64_t stride = strides[d];
      if (stride == 0) continue;
      if (stride <= -count || stride >= count || copy.extents[d] - 1 > (count - 1) / std::abs(stride))
        return false;
      const int64_t reach = stride * (copy.extents[d] - 1);
      (reach < 0 ? low : high) += reach;
      if (low < 0 || high >= count) return false;
    }
    return true;
  }

  /// The output may touch an input only where the kernel allows y to be that input, element for element.
  Fault check_overlap() const {
    for (uint32_t i = 0; i < in_.size(); ++i) {
      const PlanTensor* x = in_[i];
      if (x == nullptr || x->place != y_.place) continue;
      const bool touch = x->place == PlanPlace::kPort
                             ? x == &y_
                             : x->offset < y_.offset + y_.bytes && y_.offset < x->offset + x->bytes;
      const bool same = x->offset == y_.offset && x->bytes == y_.bytes;
      if (touch && !(same && in_place(i))) return "its output overlaps an input";
    }
    return {};
  }

  bool in_place(uint32_t input) const {
    switch (node_.op) {
      case PlanOp::kBinaryS8:
      case PlanOp::kBinaryF32:
        return true;
      case PlanOp::kLutS8:
      case PlanOp::kClampF32:
      case PlanOp::kSoftmaxF32:
        return input == 0;
      case PlanOp::kConvS8:
        return input == 5;
      default:
        return false;
    }
  }

  const Plan& plan_;
  const PlanNode& node_;
  const PlanTensor& y_;
  std::array<const PlanTensor*, 6> in_{};
};

}  // namespace

std::string find_node_fault(const Plan& plan, const PlanNode& node) {
  return NodeChecker(plan, node).check();
}

}  // namespace hone
