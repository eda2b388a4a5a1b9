#pragma once

/// Included before every file of the 64-bit Arm Linux build: binds these symbols to the first glibc of the
/// architecture, so that a build on a new system runs on boards with an old one (the gate allows up to 2.28).
/// A call of another symbol that glibc gave a new version shows in `node deploy/build/native.mjs arm64`.
#if defined(__aarch64__) && defined(__linux__) && defined(__GNUC__)
__asm__(".symver pthread_create,pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.17");
__asm__(".symver pthread_sigmask,pthread_sigmask@GLIBC_2.17");
#endif
