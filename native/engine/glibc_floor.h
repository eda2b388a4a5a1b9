#pragma once

/// Included before every file of a Linux build: binds these symbols to the first glibc of the architecture,
/// so that a build on a new system runs on old ones (Debian 10, Ubuntu 20.04: glibc 2.28). A call of another
/// symbol that glibc gave a new version shows in `node deploy/build/native.mjs prebuilds`. Sanitizers put
/// their own functions in the place of these and are built without this file.
#if defined(__linux__) && defined(__GNUC__)
#include <features.h>
#if defined(__GLIBC__) && defined(__aarch64__)
#define HONE_FIRST_GLIBC "GLIBC_2.17"
#elif defined(__GLIBC__) && defined(__x86_64__) && defined(__LP64__)
#define HONE_FIRST_GLIBC "GLIBC_2.2.5"
#endif
#endif
#ifdef HONE_FIRST_GLIBC
__asm__(".symver pthread_create,pthread_create@" HONE_FIRST_GLIBC);
__asm__(".symver pthread_join,pthread_join@" HONE_FIRST_GLIBC);
__asm__(".symver pthread_sigmask,pthread_sigmask@" HONE_FIRST_GLIBC);
#endif
