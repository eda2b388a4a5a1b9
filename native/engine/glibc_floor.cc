#include "native/engine/glibc_floor.h"

#ifdef HONE_FIRST_GLIBC
/// std::shared_ptr asks glibc 2.32 through this variable whether the process has one thread only. Ours,
/// hidden in the library, says "perhaps more", which costs an atomic instruction and spares the dependency.
/// See glibc_floor.h.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): a name of the C library
extern "C" {
extern char __libc_single_threaded;
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
#endif
