#pragma once
// The way to the x86 intrinsics beyond AVX2. A build with HONE_SIMDE compiles for a CPU with AVX2 alone and
// emulates the rest, so that every row is checked on hosts that lack its instructions.
#ifdef HONE_SIMDE
#include "native/kernels/x86_intrinsics_simde.h"
#else
#include <immintrin.h>
#endif
