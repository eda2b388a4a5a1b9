#pragma once
#include <cstdint>

namespace hone {

/// Bounds and zero point of an int8 output: y = rne(clamp(v, lo, hi)) + zero_point, where v is the float32
/// value in units of the output scale, lo = float(qmin - zero_point), hi = float(qmax - zero_point), and
/// qmin..qmax is the int8 range after a fused activation. NaN gives lo. rne = round to nearest, ties to even.
struct OutputRange {
  float lo;
  float hi;
  int32_t zero_point;
};

/// Operands of the int8 addition y = rne(clamp(fl(fl(fl((a-za)*sa) + fl((b-zb)*sb)) / so), lo, hi)) + zo.
/// This is the literal QDQ formula: the same as onnxruntime without graph optimisation, ties included.
struct AddScales {
  float a_scale;
  float b_scale;
  float out_scale;
  int32_t a_zero_point;
  int32_t b_zero_point;
};

}  // namespace hone
