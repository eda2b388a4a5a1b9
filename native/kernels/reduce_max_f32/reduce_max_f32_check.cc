#include "native/kernels/reduce_max_f32/reduce_max_f32.h"

#include "native/tools/check_kernels/reduction_case.h"

namespace hone::check {
namespace {

const KernelCheck kCheck =
    reduction_check<ReduceMaxF32Row, ReduceMaxF32Args, kReduceMaxF32Rows, &kReduceMaxF32RowCount>(
        "reduce_max_f32");
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
