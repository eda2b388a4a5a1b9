/** Instruction-set words of the engine (as in HONE_CPU), each with those before it that it implies. */
export const ISAS = {
  ref: ['ref'],
  avx2: ['ref', 'avx2'],
  avx512vnni: ['ref', 'avx2', 'avx512vnni'],
  neon: ['ref', 'neon'],
  neon_dotprod: ['ref', 'neon', 'neon_dotprod'],
  neon_i8mm: ['ref', 'neon', 'neon_dotprod', 'neon_i8mm'],
} as const;
export type Isa = keyof typeof ISAS;

/** What a compressed network will run on. */
export interface EngineTarget {
  /** The strongest instruction set of its CPU: decides which kernels compute, and how many channels they take at a time. */
  readonly isa: Isa;
  /** Measured times of layers by node name, in any unit; layers that are not in it count as the others do on average. */
  readonly times?: Readonly<Record<string, number>>;
}
