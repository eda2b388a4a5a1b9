#include "native/kernels/non_max_suppression/non_max_suppression.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

/// Also holds ref against boxes sorted as a whole, of which each asks all before it. Corners are small
/// integers, so that areas are exact.
class BoxesCase : public PlainCase<NonMaxSuppressionRow, NonMaxSuppressionArgs> {
 public:
  BoxesCase(const NonMaxSuppressionArgs& args, std::string description)
      : PlainCase(kNonMaxSuppressionRows, args, 1, static_cast<double>(args.classes * args.length),
                  std::move(description)) {}

  std::string verify_reference() override {
    std::vector<int64_t> expected;
    for (int64_t batch = 0; batch < args_.batches; batch++)
      for (int64_t number = 0; number < args_.classes; number++)
        for (const int64_t box : taken_of(batch, number))
          expected.insert(expected.end(), {batch, number, box});
    if (*args_.count * 3 != static_cast<int64_t>(expected.size()))
      return "counted " + std::to_string(*args_.count);
    expected.resize(static_cast<size_t>(3 * args_.batches * args_.classes * args_.most));
    return std::equal(expected.begin(), expected.end(), args_.y) ? "" : "other boxes";
  }

 private:
  std::vector<int64_t> taken_of(int64_t batch, int64_t number) const {
    const float* scores = args_.scores + (batch * args_.classes + number) * args_.length;
    const int64_t length = args_.filled == nullptr ? args_.length : std::min(args_.length, *args_.filled);
    std::vector<int64_t> order(static_cast<size_t>(std::max<int64_t>(length, 0)));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
    std::vector<int64_t> taken;
    const int64_t most = args_.limit == nullptr ? args_.most : std::min(args_.most, *args_.limit);
    for (const int64_t box : order) {
      if (static_cast<int64_t>(taken.size()) >= most) break;
      if (args_.least != nullptr && !(scores[box] > *args_.least)) continue;
      const bool is_free =
          std::none_of(taken.begin(), taken.end(), [&](int64_t other) { return meets(batch, box, other); });
      if (is_free) taken.push_back(box);
    }
    return taken;
  }
  /// By areas in twice the unit, so that halves of widths are whole.
  bool meets(int64_t batch, int64_t a, int64_t b) const {
    double low[2][2], high[2][2];
    const int64_t boxes[2] = {a, b};
    for (int i = 0; i < 2; i++) {
      const float* box = args_.boxes + (batch * args_.length + boxes[i]) * 4;
      for (int axis = 0; axis < 2; axis++) {
        const double first = 2.0 * box[axis], second = 2.0 * box[2 + axis];
        low[i][axis] = args_.centered ? first - second / 2 : std::min(first, second);
        high[i][axis] = args_.centered ? first + second / 2 : std::max(first, second);
      }
    }
    double shared = 1, left = 1, right = 1;
    for (int axis = 0; axis < 2; axis++) {
      const double side = std::min(high[0][axis], high[1][axis]) - std::max(low[0][axis], low[1][axis]);
      if (side <= 0) return false;
      shared *= side;
      left *= high[0][axis] - low[0][axis];
      right *= high[1][axis] - low[1][axis];
    }
    if (left <= 0 || right <= 0 || left + right - shared <= 0) return false;
    const float limit = args_.overlap == nullptr ? 0 : *args_.overlap;
    return static_cast<float>(shared) / static_cast<float>(left + right - shared) > limit;
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int64_t batches, int64_t classes, int64_t length,
                                 const char* name) {
  Rng& rng = bench.rng();
  NonMaxSuppressionArgs args = {};
  args.batches = batches;
  args.classes = classes;
  args.length = length;
  args.most = name != nullptr ? 100 : rng.between(1, length);
  args.centered = rng.chance(0.5);
  const auto count = static_cast<size_t>(batches * length);
  args.y = bench.output<int64_t>(static_cast<size_t>(3 * batches * classes * args.most));
  args.count = bench.output<int64_t>(1);
  args.order = bench.output<int32_t>(static_cast<size_t>(length));
  float* boxes = bench.input<float>(4 * count);
  for (size_t i = 0; i < 4 * count; i++) boxes[i] = static_cast<float>(rng.between(-1, 12));
  float* scores = bench.input<float>(count * static_cast<size_t>(classes));
  for (size_t i = 0; i < count * static_cast<size_t>(classes); i++)
    scores[i] = static_cast<float>(rng.between(0, 20)) / 16;
  args.boxes = boxes;
  args.scores = scores;
  const auto number = [&](auto value) {
    auto* memory = bench.input<decltype(value)>(1);
    *memory = value;
    return memory;
  };
  if (rng.chance(0.7)) args.overlap = number(static_cast<float>(rng.between(0, 8)) / 8);
  if (rng.chance(0.7)) args.least = number(static_cast<float>(rng.between(0, 16)) / 16);
  if (rng.chance(0.5)) args.limit = number(rng.between(-1, length + 1));
  if (rng.chance(0.3)) args.filled = number(rng.between(-1, length + 1));
  return std::make_unique<BoxesCase>(
      args, name != nullptr
                ? name
                : std::to_string(batches) + "x" + std::to_string(classes) + "x" + std::to_string(length));
}

const KernelCheck kCheck = {
    "non_max_suppression",
    [] { return list_rows(kNonMaxSuppressionRows, kNonMaxSuppressionRowCount); },
    60,
    [](Workbench& bench, int index) {
      constexpr int64_t kLengths[] = {1, 2, 3, 7, 30};
      Rng& rng = bench.rng();
      return make(bench, rng.between(1, 2), rng.between(1, 3), kLengths[index % 5], nullptr);
    },
    1,
    [](Workbench& bench, int) { return make(bench, 1, 80, 8400, "80 classes of 8400 boxes"); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
