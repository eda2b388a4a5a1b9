import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readNpz, writeNpz } from '../lib/data/npz';
import { tensorOf, viewAs } from '../lib/ir/tensor';
import { ROOT } from './environment';
import { median } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';
import type { Usage } from './usage-report';

/** Part of what the other commit takes. */
const BARS = { cpu: 1.3, peak: 1.2 } as const;
/** Pictures for squeezenet, enough for repairs to be judged on held-out ones, and how often each pixel is repeated. */
const PICTURES = { count: 96, zoom: 7, means: [104, 117, 123] } as const;

interface Subject {
  readonly name: (typeof SUBJECTS)[number];
  readonly model: string;
  /** Path of calibration samples. */
  readonly samples: string;
}

interface Command {
  /** Short name, of a part of the trial. */
  readonly part: string;
  readonly name: string;
  readonly verb: 'compress' | 'sensitivity';
  readonly adaround?: boolean;
  /** Interleaved runs by both programs. */
  readonly rounds: number;
}

const SUBJECTS = ['resnet20', 'squeezenet'] as const;

const COMMANDS: readonly Command[] = [
  { part: 'compress', name: 'compress', verb: 'compress', rounds: 3 },
  { part: 'sensitivity', name: 'sensitivity', verb: 'sensitivity', rounds: 1 },
  { part: 'adaround', name: 'compress, AdaRound recipe', verb: 'compress', adaround: true, rounds: 1 },
];

/** `model/command`. */
export const COMPRESSION_COST_PARTS: readonly string[] = SUBJECTS.flatMap((model) =>
  COMMANDS.map(({ part }) => `${model}/${part}`),
);

/**
 * CPU time and peak memory of compression beside those of another commit of Hone, whose built checkout HONE_BENCH_BEFORE names.
 * CPU time, because a machine that does other work too changes it least; the least of the rounds counts.
 */
export async function runCompressionCost({ dataFolder, say, wants }: TrialContext): Promise<TrialOutcome> {
  const before = process.env.HONE_BENCH_BEFORE;
  const refused =
    before === undefined ? 'HONE_BENCH_BEFORE names no built checkout' : missingIn(resolve(before), dataFolder);
  if (before === undefined || refused !== undefined)
    return { records: [], table: [], skipped: [`compression-cost: ${refused}`], missed: [] };
  const folder = mkdtempSync(join(tmpdir(), 'hone-cost-'));
  try {
    return compareAll(resolve(before), subjectsIn(folder, dataFolder), folder, { say, wants });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function missingIn(before: string, dataFolder: string): string | undefined {
  const needed = [join(before, CLI), ...Object.values(files(dataFolder)).flatMap(Object.values<string>)];
  const missing = needed.find((path) => !existsSync(path));
  return missing && `${missing} is missing`;
}

const CLI = 'dist/lib/cli/main.js';

const files = (dataFolder: string) => ({
  resnet20: {
    model: join(dataFolder, 'models/resnet20_cifar10.onnx'),
    samples: join(dataFolder, 'npz/cifar_norm_calib256.npz'),
  },
  squeezenet: {
    model: join(dataFolder, 'models/squeezenet1_1_imagenet.onnx'),
    samples: join(dataFolder, 'npz/cifar_raw_calib256.npz'),
  },
});

function subjectsIn(folder: string, dataFolder: string): readonly Subject[] {
  const { resnet20, squeezenet } = files(dataFolder);
  const samples = join(folder, 'pictures.npz');
  writeFileSync(samples, zoomed(squeezenet.samples));
  return [
    { name: 'resnet20', ...resnet20 },
    { name: 'squeezenet', ...squeezenet, samples },
  ];
}

/** Small pictures as large ones for squeezenet: [count, 3, 224, 224] less the means of its channels. */
function zoomed(path: string): Uint8Array {
  const small = [...readNpz(readFileSync(path), path).values()].find(({ dims }) => dims.length === 4)!;
  const pixels = small.type === 'uint8' ? viewAs(small, 'uint8') : viewAs(small, 'float32');
  const [, channels, height, width] = small.dims;
  const { count, zoom, means } = PICTURES;
  const data = new Float32Array(count * channels * height * zoom * width * zoom);
  let at = 0;
  for (let plane = 0; plane < count * channels; plane++)
    for (let y = 0; y < height * zoom; y++)
      for (let x = 0; x < width * zoom; x++) {
        const pixel = (plane * height + Math.floor(y / zoom)) * width + Math.floor(x / zoom);
        data[at++] = pixels[pixel] - means[plane % channels];
      }
  return writeNpz(
    new Map([['data_0', tensorOf('float32', [count, channels, height * zoom, width * zoom], data)]]),
    'stored',
  );
}

function compareAll(
  before: string,
  subjects: readonly Subject[],
  folder: string,
  { say, wants }: Pick<TrialContext, 'say' | 'wants'>,
): TrialOutcome {
  const records: TrialRecord[] = [];
  const missed: string[] = [];
  const rows: string[][] = [['model', 'command', 'CPU s before', 'CPU s', 'ratio', 'of peak memory']];
  const other = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: before, encoding: 'utf8' }).trim();
  for (const { part, name, verb, adaround, rounds } of COMMANDS)
    for (const { name: subject, model, samples } of subjects) {
      if (!wants(`${subject}/${part}`)) continue;
      const label = model.split('/').at(-1)!;
      const out = verb === 'sensitivity' ? [] : ['--out', join(folder, 'out.onnx')];
      const from = adaround ? ['--recipe', recipeFor(samples, folder)] : ['--data', samples];
      const args = [verb, model, ...from, ...out];
      const runs = Array.from({ length: rounds }, () => [before, ROOT].map((root) => usageOf(root, args, folder)));
      const least = [0, 1].map((side) => Math.min(...runs.map((pair) => cpuOf(pair[side]))) / 1e6);
      const ratio = least[1] / least[0];
      const peak = median(runs.map(([a, b]) => b.peakKb / a.peakKb));
      const ratioOfPairs = median(runs.map(([a, b]) => cpuOf(b) / cpuOf(a)));
      const numbers = { ratio, ratioOfPairs, peakRatio: peak, cpuSeconds: least[1], cpuSecondsBefore: least[0] };
      say(`compression-cost: ${label}, ${name}: ${ratio.toFixed(2)} of the CPU time of ${other}`);
      const rounded = Object.entries(numbers).map(([key, value]) => [key, Number(value.toFixed(3))]);
      records.push({ model: label, command: name, before: other, rounds, ...Object.fromEntries(rounded) });
      rows.push([label, name, ...least.map((s) => s.toFixed(2)), ratio.toFixed(2), peak.toFixed(2)]);
      if (ratio > BARS.cpu) missed.push(`${label}, ${name}: ${ratio.toFixed(2)} of the CPU time, at most ${BARS.cpu}`);
      if (peak > BARS.peak) missed.push(`${label}, ${name}: ${peak.toFixed(2)} of the memory, at most ${BARS.peak}`);
    }
  return { records, table: rows, skipped: [], missed };
}

/** A recipe of AdaRound with all samples for calibration: of a tenth, as `--data` gives it, there are too few to judge by. */
function recipeFor(samples: string, folder: string): string {
  const path = join(folder, 'adaround.json');
  writeFileSync(
    path,
    JSON.stringify({ data: { calibration: resolve(samples) }, steps: [{ quantize: { rounding: 'adaround' } }] }),
  );
  return path;
}

/** One run of a command; steps of recipes that an earlier run has done are done again. */
function usageOf(root: string, args: readonly string[], folder: string): Usage {
  rmSync(join(folder, 'out.onnx.hone-cache'), { recursive: true, force: true });
  const path = join(folder, 'usage.json');
  const preload = require.resolve('./usage-report');
  const env = { ...process.env, HONE_BENCH_USAGE: path };
  execFileSync(process.execPath, ['-r', preload, join(root, CLI), ...args], { env, stdio: 'ignore' });
  return JSON.parse(readFileSync(path, 'utf8')) as Usage;
}

function cpuOf({ userUs, systemUs }: Usage): number {
  return userUs + systemUs;
}
