#include "native/engine/call.h"

namespace hone {

Fault Call::find_stride(const PlanTensor& tensor, int64_t length, ptrdiff_t* stride) const {
  *stride = is_dense(tensor) ? length : pitch(tensor);
  return is_dense(tensor) || row_length(tensor) == length ? Fault() : Fault("rows of operands differ");
}

int64_t Call::find_row_length(std::initializer_list<const PlanTensor*> operands) const {
  for (const PlanTensor* operand : operands)
    if (!is_dense(*operand)) return row_length(*operand);
  return count_elements(**operands.begin());
}

}  // namespace hone
