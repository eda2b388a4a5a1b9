#include "native/kernels/reduce_min_f32/reduce_min_f32.h"

#include "native/tools/check_kernels/reduction_case.h"

namespace hone::check {
namespace {

const KernelCheck kCheck =
    reduction_check<ReduceMinF32Row, ReduceMinF32Args, kReduceMinF32Rows, &kReduceMinF32RowCount>(
        "reduce_min_f32");
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
