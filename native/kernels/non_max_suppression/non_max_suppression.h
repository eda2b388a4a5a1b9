#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"

namespace hone {

/// ONNX NonMaxSuppression over boxes [batches, length, 4] and scores [batches, classes, length]. In each
/// class of each batch boxes are taken by falling score, of equal ones the first; one is left out when its
/// intersection over union with one taken before is above `overlap`, and only scores above `least` count.
/// y [batches * classes * most, 3] gets (batch, class, box) of those taken, `count` how many there are; rows
/// behind them are 0. Areas and quotients are float32, rounded one by one; boxes that do not meet, or
/// without an area, leave nobody out. Operands share no memory. ref is the only row: it keeps a heap of
/// candidates.
struct NonMaxSuppressionArgs {
  int64_t* y;
  int64_t* count;
  int32_t* order;  ///< [length], working memory
  const float* boxes;
  const float* scores;
  const int64_t* limit;   ///< most boxes of a class; null: `most`
  const float* overlap;   ///< null: 0
  const float* least;     ///< null: every score counts
  const int64_t* filled;  ///< boxes that are there, the first of `length`; null: all
  int64_t batches, classes, length;
  int64_t most;   ///< of one class, at most length
  bool centered;  ///< a box is center x, center y, width, height; else two opposite corners as y, x, y, x
};

/// There is one item, everything; blocks are not used.
struct NonMaxSuppressionRow {
  const char* name;
  CpuFeatures needs;
  void (*run)(const NonMaxSuppressionArgs& args, const Tile& tile);
};

/// Rows: ref.
extern const NonMaxSuppressionRow kNonMaxSuppressionRows[];
extern const int kNonMaxSuppressionRowCount;

}  // namespace hone
