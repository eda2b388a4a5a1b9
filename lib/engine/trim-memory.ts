import { loadAddon } from './addon';

/**
 * Hands memory that native code has freed back to the system, where addon and C library can. The C library keeps freed blocks
 * below 32 MB; smaller ones that come next cut them up, so that a second network would not fit where the first one lay.
 */
export function trimMemory(): void {
  try {
    loadAddon().trimMemory?.();
  } catch {
    // No addon for this machine: nothing computed here hangs on it.
  }
}
