#include "native/kernels/non_max_suppression/non_max_suppression.h"

namespace hone {

void non_max_suppression_ref(const NonMaxSuppressionArgs& args, const Tile& tile);

const NonMaxSuppressionRow kNonMaxSuppressionRows[] = {
    {"non_max_suppression_ref", kCpuRef, non_max_suppression_ref},
};
const int kNonMaxSuppressionRowCount = sizeof(kNonMaxSuppressionRows) / sizeof(kNonMaxSuppressionRows[0]);

}  // namespace hone
