#include "native/engine/glibc_floor.h"

#ifdef HONE_FIRST_GLIBC
#include <new>

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): names of the C and C++ libraries
/// What allocators call for more elements than memory can have, which libstdc++ exports from GCC 11 on.
extern "C" [[noreturn]] __attribute__((visibility("hidden"))) void hone_throw_bad_array_new_length() __asm__(
    "_ZSt28__throw_bad_array_new_lengthv");
void hone_throw_bad_array_new_length() { throw std::bad_array_new_length(); }

/// std::shared_ptr asks glibc 2.32 through this variable whether the process has one thread only. Ours,
/// hidden in the library, says "perhaps more", which costs an atomic instruction and spares the dependency.
/// See glibc_floor.h.
extern "C" {
extern char __libc_single_threaded;
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
#endif
