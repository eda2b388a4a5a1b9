#include "native/kernels/top_k/top_k.h"

namespace hone {

void top_k_ref(const TopKArgs& args, const Tile& tile);

const TopKRow kTopKRows[] = {
    {"top_k_ref", kCpuRef, top_k_ref},
};
const int kTopKRowCount = sizeof(kTopKRows) / sizeof(kTopKRows[0]);

}  // namespace hone
