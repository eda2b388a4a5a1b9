#include "native/kernels/reduce_max_s8/reduce_max_s8.h"

#include "native/tools/check_kernels/reduction_case.h"

namespace hone::check {
namespace {

const KernelCheck kCheck =
    reduction_check<ReduceMaxS8Row, ReduceMaxS8Args, kReduceMaxS8Rows, &kReduceMaxS8RowCount>(
        "reduce_max_s8");
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
