// Generated from the tables below native/kernels by `npm run docs`.
import type { KernelRow } from './kernel-row';

/** Rows of the kernels that multiply, best first, those of all instruction sets. */
export const KERNEL_ROWS = {
  conv_s8: [
    { isa: 'avx512vnni', fits: 'any', block: 16, depth: 4, gathered: false, halves: true, repeated: false },
    { isa: 'avx2', fits: 'any', block: 16, depth: 2, gathered: false, halves: false, repeated: false },
    { isa: 'neon_i8mm', fits: 'any', block: 16, depth: 8, gathered: true, halves: false, repeated: false },
    { isa: 'neon_dotprod', fits: 'any', block: 16, depth: 4, gathered: true, halves: false, repeated: false },
    { isa: 'neon', fits: 'any', block: 4, depth: 16, gathered: true, halves: false, repeated: false },
    { isa: 'ref', fits: 'any', block: 1, depth: 1, gathered: false, halves: false, repeated: false },
  ],
  dwconv_s8: [
    { isa: 'avx512vnni', fits: 'wide', block: 64, depth: 4, gathered: false, halves: false, repeated: true },
    { isa: 'avx2', fits: 'any', block: 16, depth: 2, gathered: false, halves: false, repeated: true },
    { isa: 'neon_i8mm', fits: 'sliding', block: 16, depth: 4, gathered: false, halves: false, repeated: false },
    { isa: 'neon_dotprod', fits: 'sliding', block: 16, depth: 4, gathered: false, halves: false, repeated: false },
    { isa: 'neon', fits: 'any', block: 16, depth: 1, gathered: false, halves: false, repeated: false },
    { isa: 'ref', fits: 'any', block: 1, depth: 1, gathered: false, halves: false, repeated: false },
  ],
  fc_s8: [
    { isa: 'avx512vnni', fits: 'any', block: 16, depth: 4, gathered: false, halves: false, repeated: false },
    { isa: 'avx2', fits: 'any', block: 16, depth: 2, gathered: false, halves: false, repeated: false },
    { isa: 'neon_i8mm', fits: 'pairs', block: 16, depth: 8, gathered: false, halves: false, repeated: false },
    { isa: 'neon_dotprod', fits: 'any', block: 16, depth: 4, gathered: false, halves: false, repeated: false },
    { isa: 'neon', fits: 'any', block: 4, depth: 16, gathered: false, halves: false, repeated: false },
    { isa: 'ref', fits: 'any', block: 1, depth: 1, gathered: false, halves: false, repeated: false },
  ],
} as const satisfies Record<string, readonly KernelRow[]>;
