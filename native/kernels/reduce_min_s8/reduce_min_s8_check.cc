#include "native/kernels/reduce_min_s8/reduce_min_s8.h"

#include "native/tools/check_kernels/reduction_case.h"

namespace hone::check {
namespace {

const KernelCheck kCheck =
    reduction_check<ReduceMinS8Row, ReduceMinS8Args, kReduceMinS8Rows, &kReduceMinS8RowCount>(
        "reduce_min_s8");
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
