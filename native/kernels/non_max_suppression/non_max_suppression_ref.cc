#include "native/kernels/non_max_suppression/non_max_suppression.h"

namespace hone {
namespace {

/// The sides of a box along one axis, in order.
struct Range {
  float low, high;
};

Range range_of(const float* box, bool centered, int axis) {
  if (centered) {
    const float half = box[2 + axis] / 2;
    return {box[axis] - half, box[axis] + half};
  }
  const float a = box[1 - axis], b = box[3 - axis];
  return a >= b ? Range{b, a} : Range{a, b};
}

/// What two ranges share; not above 0 when they do not meet.
float shared(Range a, Range b) {
  const float low = a.low < b.low ? b.low : a.low;
  const float high = b.high < a.high ? b.high : a.high;
  return high <= low ? 0 : high - low;
}

float area_of(Range x, Range y) { return (x.high - x.low) * (y.high - y.low); }

/// Whether two boxes overlap by more than a share of their union.
bool overlap(const float* a, const float* b, bool centered, float most) {
  const Range ax = range_of(a, centered, 0), ay = range_of(a, centered, 1);
  const Range bx = range_of(b, centered, 0), by = range_of(b, centered, 1);
  const float width = shared(ax, bx);
  if (width <= 0) return false;
  const float height = shared(ay, by);
  if (height <= 0) return false;
  const float intersection = width * height;
  const float left = area_of(ax, ay), right = area_of(bx, by);
  const float either = left + right - intersection;
  if (intersection <= 0 || left <= 0 || right <= 0 || either <= 0) return false;
  return intersection / either > most;
}

/// A heap of boxes, the one to take next on top.
struct Heap {
  int32_t* order;
  const float* scores;

  bool comes_before(int32_t a, int32_t b) const {
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
  }
  /// Lets a box sink from a place of the heap of `count`.
  void sink(int32_t box, int64_t at, int64_t count) const {
    for (;;) {
      int64_t child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && comes_before(order[child + 1], order[child])) child++;
      if (!comes_before(order[child], box)) break;
      order[at] = order[child];
      at = child;
    }
    order[at] = box;
  }
};

/// Puts the boxes of one class behind y, which are of `batch` and `number`. Returns how many.
int64_t take_boxes(const NonMaxSuppressionArgs& args, int64_t batch, int64_t number, int64_t* y) {
  const float* boxes = args.boxes + batch * args.length * 4;
  const float* scores = args.scores + (batch * args.classes + number) * args.length;
  int64_t length = args.length, most = args.most;
  if (args.filled != nullptr && *args.filled < length) length = *args.filled;
  if (args.limit != nullptr && *args.limit < most) most = *args.limit;
  const float limit = args.overlap == nullptr ? 0 : *args.overlap;
  const Heap heap = {args.order, scores};
  int64_t candidates = 0;
  for (int64_t i = 0; i < length; i++)
    if (args.least == nullptr || scores[i] > *args.least) args.order[candidates++] = static_cast<int32_t>(i);
  for (int64_t i = candidates / 2 - 1; i >= 0; i--) heap.sink(args.order[i], i, candidates);
  int64_t taken = 0;
  while (candidates > 0 && taken < most) {
    const int32_t box = args.order[0];
    candidates--;
    heap.sink(args.order[candidates], 0, candidates);
    bool is_free = true;
    for (int64_t i = 0; i < taken && is_free; i++)
      is_free = !overlap(boxes + 4 * box, boxes + 4 * y[3 * i + 2], args.centered, limit);
    if (!is_free) continue;
    int64_t* row = y + 3 * taken++;
    row[0] = batch;
    row[1] = number;
    row[2] = box;
  }
  return taken;
}

}  // namespace

void non_max_suppression_ref(const NonMaxSuppressionArgs& args, const Tile& tile) {
  if (tile.begin == tile.end) return;
  int64_t count = 0;
  for (int64_t batch = 0; batch < args.batches; batch++)
    for (int64_t number = 0; number < args.classes; number++)
      count += take_boxes(args, batch, number, args.y + 3 * count);
  for (int64_t i = 3 * count; i < 3 * args.batches * args.classes * args.most; i++) args.y[i] = 0;
  *args.count = count;
}

}  // namespace hone
