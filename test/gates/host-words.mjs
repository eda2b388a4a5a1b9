// Words of HONE_CPU that hosts have, so that a gate can tell a row that cannot run from one that was forgotten.
import { existsSync, readFileSync } from 'node:fs';

/** Instruction sets of x86 rows and the flag of /proc/cpuinfo that stands for each, weakest first. */
const X86_FLAGS = { avx2: 'avx2', avx512vnni: 'avx512_vnni' };

export const X86_WORDS = Object.keys(X86_FLAGS);

/** The instruction sets that this CPU must not skip. */
export function hostWords() {
  if (process.arch === 'arm64') return ['neon'];
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return X86_WORDS.filter((word) => new RegExp(`\\b${X86_FLAGS[word]}\\b`).test(flags));
}
