import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './environment';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';

/** A layer with zero points of the weights may cost this much of the same layer without. */
const BAR = 1.2;

/** One line of `check_kernels --zero-points`; times are absent between marks. */
interface Line {
  readonly name: string;
  readonly shape: string;
  readonly ns?: number;
  readonly ns_zero_points?: number;
  readonly ratio?: number;
  readonly ratio_of_least?: number;
}

/** The emulated CPUs whose best int8 rows are these. */
const ARM_CPUS = [
  ['cortex-a72', 'neon'],
  ['cortex-a76', 'neon_dotprod'],
  ['max', 'neon_i8mm'],
] as const;

/**
 * What zero points of the weights cost that no packer can fold into int8: each representative int8 shape with and without them,
 * by time on this machine (medians of pairs in turns), by instructions under qemu on ARM.
 */
export async function runZeroPoints({ say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const skipped: string[] = [];
  const tool = join(ROOT, `build/${process.platform}-${process.arch}/check_kernels`);
  if (existsSync(tool)) {
    say('zero-points: check_kernels --zero-points');
    const { stdout } = run(tool, ['--zero-points']);
    for (const line of linesOf(stdout)) records.push({ ...line, measure: 'time' });
  } else {
    skipped.push(`zero-points: ${relative(ROOT, tool)} is not built (node deploy/build/native.mjs tools)`);
  }
  const arm = join(ROOT, 'build/arm64/check_kernels');
  if (existsSync(arm)) {
    const plugin = join(ROOT, 'build/arm64/count-instructions.so');
    run('cc', ['-O2', '-shared', '-fPIC', '-o', plugin, join(ROOT, 'bench/count-instructions.c')]);
    for (const [cpu, isa] of ARM_CPUS) {
      say(`zero-points: instructions on ${cpu} under qemu`);
      records.push(...(await countInstructions(arm, plugin, cpu, isa)));
    }
  } else {
    skipped.push(`zero-points: ${relative(ROOT, arm)} is not built (node deploy/build/native.mjs arm64)`);
  }
  const worst = records.filter((record) => ratioOf(record) > BAR);
  return {
    records,
    table: [
      ['kernel', 'shape', 'without', 'with', 'ratio'],
      ...records.map((record) => [
        String(record.name),
        String(record.shape),
        ...(record.measure === 'time'
          ? [`${record.ns} ns`, `${record.ns_zero_points} ns`]
          : [String(record.instructions), String(record.instructions_zero_points)]),
        ratioOf(record).toFixed(2),
      ]),
    ],
    skipped,
    missed: worst.map((record) => `${record.name} ${record.shape}: ${ratioOf(record).toFixed(2)} > ${BAR}`),
  };
}

/** Lines of one emulated CPU, whose counts the plugin prints in pairs. */
async function countInstructions(tool: string, plugin: string, cpu: string, isa: string): Promise<TrialRecord[]> {
  const { qemuCommand } = await import(pathToFileURL(join(ROOT, 'deploy/build/qemu.mjs')).href);
  const [command, ...args] = qemuCommand(cpu) as string[];
  const { stdout, stderr } = run(command, [...args, '-plugin', plugin, tool, '--zero-points=marked', `--isa=${isa}`]);
  const counts = stderr.trim().split('\n').map(Number);
  const lines = linesOf(stdout);
  if (counts.length !== 2 * lines.length || counts.some(Number.isNaN))
    throw new Error(`${lines.length} shapes and ${counts.length} counts on ${cpu}: ${stderr.slice(0, 200)}`);
  return lines.map((line, i) => {
    const [instructions, withThem] = [counts[2 * i], counts[2 * i + 1]];
    const ratio = Number((withThem / instructions).toFixed(3));
    return { ...line, measure: 'instructions', cpu, instructions, instructions_zero_points: withThem, ratio };
  });
}

/** The fair one of a record: of least times where a busy machine made the medians larger. */
function ratioOf({ ratio, ratio_of_least: ofLeast }: TrialRecord): number {
  return Math.min(ratio as number, (ofLeast ?? Infinity) as number);
}

function linesOf(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

function run(command: string, args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ended with ${error?.message ?? status}: ${stderr?.trim()}`);
  return { stdout, stderr };
}
