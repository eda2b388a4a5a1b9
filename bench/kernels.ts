import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './environment';
import type { TrialContext, TrialOutcome } from './trial';

/** One line of `check_kernels --bench`. */
interface KernelLine {
  readonly name: string;
  readonly shape: string;
  readonly ns: number;
  readonly gops: number;
  readonly peak_gops?: number;
  readonly percent_of_peak?: number;
}

/** Every kernel row on its representative shapes, timed by the native checker with no JavaScript around. */
export async function runKernels({ say }: TrialContext): Promise<TrialOutcome> {
  const tool = join(ROOT, `build/${process.platform}-${process.arch}/check_kernels`);
  const header = ['kernel', 'shape', 'µs', 'GOP/s', '% of peak'];
  if (!existsSync(tool)) {
    const reason = `kernels: ${relative(ROOT, tool)} is not built (node deploy/build/native.mjs tools)`;
    return { records: [], table: [header], skipped: [reason], missed: [] };
  }
  say('kernels: check_kernels --bench');
  const { status, stdout, stderr } = spawnSync(tool, ['--bench'], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`check_kernels --bench ended with ${status}: ${stderr.trim()}`);
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as KernelLine);
  const rows = lines.map(({ name, shape, ns, gops, percent_of_peak: percent }) => [
    name,
    shape,
    (ns / 1000).toPrecision(3),
    gops.toFixed(1),
    percent === undefined ? '-' : percent.toFixed(1),
  ]);
  return { records: lines.map((line) => ({ ...line })), table: [header, ...rows], skipped: [], missed: [] };
}
