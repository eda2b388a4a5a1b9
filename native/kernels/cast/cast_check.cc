#include <cmath>
#include <cstring>
#include <limits>

#include "native/kernels/cast/cast.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// Half precision by definition: sign, exponent and fraction as powers of two.
double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

double number_at(const void* from, ElementType type, int64_t i) {
  if (type == ElementType::kFloat32) return static_cast<const float*>(from)[i];
  if (type == ElementType::kFloat16) return half_value(static_cast<const uint16_t*>(from)[i]);
  return static_cast<double>(read_integer(from, type, i));
}

/// Compares with the definition of each pair of types, in double precision and by integers.
class CastCase : public PlainCase<CastRow, CastArgs> {
 public:
  CastCase(const CastArgs& args, int64_t count)
      : PlainCase(kCastRows, args, count, static_cast<double>(count),
                  std::to_string(count) + " of type " + std::to_string(static_cast<int>(args.x_type)) +
                      " to " + std::to_string(static_cast<int>(args.y_type))) {}

  std::string verify_reference() override {
    for (int64_t i = 0; i < items_; i++)
      if (!is_right(i)) return "element " + std::to_string(i) + " is wrong";
    return {};
  }

 private:
  bool is_right(int64_t i) const {
    const double x = number_at(args_.x, args_.x_type, i), y = number_at(args_.y, args_.y_type, i);
    const bool from_float = args_.x_type == ElementType::kFloat32 || args_.x_type == ElementType::kFloat16;
    switch (args_.y_type) {
      case ElementType::kFloat32:
        return std::isnan(x) ? std::isnan(y) : y == static_cast<float>(from_float ? x : exact(i));
      case ElementType::kFloat16:
        return std::isnan(x) ? std::isnan(y) : is_nearest_half(from_float ? x : exact(i), i);
      case ElementType::kBool:
        return static_cast<const uint8_t*>(args_.y)[i] == (x != 0 ? 1 : 0);
      default:
        break;
    }
    if (!from_float) return is_low_part(i);
    const auto bits = 8 * element_bytes(args_.y_type) - (args_.y_type == ElementType::kUint8 ? 0 : 1);
    const double above = std::ldexp(1, bits), least = args_.y_type == ElementType::kUint8 ? 0 : -above;
    if (std::isnan(x)) return y == 0;
    if (std::trunc(x) >= above)
      return read_integer(args_.y, args_.y_type, i) ==
             static_cast<int64_t>((uint64_t{1} << (bits - 1)) - 1 + (uint64_t{1} << (bits - 1)));
    return y == std::max(std::trunc(x), least);
  }
  /// An integer as the nearest double of a float's digits: exact up to 53 bits, which int64 rounds once more.
  float exact(int64_t i) const { return static_cast<float>(read_integer(args_.x, args_.x_type, i)); }
  bool is_low_part(int64_t i) const {
    const auto size = static_cast<size_t>(element_bytes(args_.y_type));
    const int64_t x = read_integer(args_.x, args_.x_type, i);
    return std::memcmp(&x, static_cast<const uint8_t*>(args_.y) + static_cast<size_t>(i) * size, size) == 0;
  }
  /// No neighbour is nearer, and of two as near it is the even one.
  bool is_nearest_half(double x, int64_t i) const {
    const uint16_t bits = static_cast<const uint16_t*>(args_.y)[i];
    if (std::signbit(x) != ((bits & 0x8000) != 0)) return false;
    const double size = std::fabs(x);
    const uint16_t magnitude = bits & 0x7FFF;
    if (magnitude == 0x7C00) return size >= 65520;
    const double error = std::fabs(half_value(magnitude) - size);
    for (const int step : {-1, 1}) {
      if (magnitude + step < 0) continue;
      const double other =
          magnitude + step == 0x7C00 ? 65536 : half_value(static_cast<uint16_t>(magnitude + step));
      const double distance = std::fabs(other - size);
      if (distance < error || (distance == error && magnitude % 2 != 0)) return false;
    }
    return true;
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, ElementType from, ElementType to, int64_t count) {
  Rng& rng = bench.rng();
  CastArgs args = {};
  args.x_type = from;
  args.y_type = to;
  void* x = input_of(bench, element_bytes(from), static_cast<size_t>(count));
  fill_numbers(bench, from, x, static_cast<size_t>(count));
  constexpr float kEdges[] = {
      0.5f,           -0.9f,   127.5f,   128.0f,   255.9f,
      256.0f,         -128.9f, -129.0f,  2147e6f,  2147483648.0f,
      -2147483648.0f, 9.3e18f, -9.3e18f, 65504.0f, 65519.9f,
      65520.0f,       6e-8f,   2.98e-8f, 1e-5f,    std::numeric_limits<float>::infinity()};
  if (from == ElementType::kFloat32)
    for (int64_t i = 0; i < count; i++)
      if (rng.chance(0.3)) static_cast<float*>(x)[i] = rng.chance(0.1) ? NAN : rng.pick(kEdges);
  args.x = x;
  args.y = output_of(bench, element_bytes(to), static_cast<size_t>(count));
  return std::make_unique<CastCase>(args, count);
}

constexpr int kTypes = static_cast<int>(kElementTypeCount);
const KernelCheck kCheck = {
    "cast",
    [] { return list_rows(kCastRows, kCastRowCount); },
    kTypes* kTypes * 3,
    [](Workbench& bench, int index) {
      const int pair = index % (kTypes * kTypes);
      return make(bench, kElementTypes[pair / kTypes], kElementTypes[pair % kTypes],
                  bench.rng().between(1, 300));
    },
    1,
    [](Workbench& bench, int) { return make(bench, ElementType::kInt64, ElementType::kFloat32, 16384); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
