import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '../lib/core/rng';
import { writeNpz } from '../lib/data/npz';
import { GraphBuilder } from '../lib/ir/builder';
import { type Tensor, tensorFrom, tensorOf } from '../lib/ir/tensor';
import { writeModel } from '../lib/onnx/write-model';
import { ROOT } from './environment';
import { median } from './timing';
import type { TrialContext, TrialOutcome, TrialRecord } from './trial';
import type { Usage } from './usage-report';

/** Most bytes that a verb holds at its peak, above those of a tiny model, for each byte of its file. */
const MOST_PER_BYTE = 5;
/** Most time for a byte of the largest file, in that for one of the middle one: what grows with the square takes 3.3. */
const MOST_GROWTH = 1.5;
/** Size of the rows that all layers take. */
const DEPTH = 4096;
/** Runs of each; the median counts. */
const ROUNDS = 3;
/** Calibration samples. */
const SAMPLES = 16;

/** Widths of the layers behind one another, by megabytes of the file with one byte for each weight. */
const INT8_CHAINS = { 17: [4096], 30: [4096, 3200], 100: [4096, 4096, 4096, 4096, 4096, 4096] } as const;
/** The same with four bytes for each weight. */
const FLOAT_CHAINS = { 17: [1040], 30: [1832], 100: [4096, 2048] } as const;
/** The model whose memory is what the program itself takes. */
const TINY = [1];

type Verb = 'compile' | 'compress';

/** Peak memory and time of compilation and of post-training quantization against the size of the model file. */
export async function runMemoryScaling({ say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const missed: string[] = [];
  const table: string[][] = [['verb', 'file', 'peak', 'above tiny, by file', 'CPU', 'CPU by MB']];
  const folder = mkdtempSync(join(tmpdir(), 'hone-scaling-'));
  try {
    for (const verb of ['compile', 'compress'] as const) {
      const idle = measure(verb, TINY, 8, folder);
      const times: number[] = [];
      for (const [name, widths] of Object.entries(verb === 'compile' ? INT8_CHAINS : FLOAT_CHAINS)) {
        const { bytes, peakBytes, cpuSeconds } = measure(verb, widths, DEPTH, folder);
        const perByte = (peakBytes - idle.peakBytes) / bytes;
        const perMegabyte = (cpuSeconds - idle.cpuSeconds) / (bytes / 1e6);
        times.push(perMegabyte);
        const numbers = {
          peakBytes,
          idleBytes: idle.peakBytes,
          perByte,
          cpuSeconds,
          cpuSecondsPerMegabyte: perMegabyte,
        };
        const rounded = Object.entries(numbers).map(([key, value]) => [key, Number(value.toPrecision(4))]);
        records.push({ verb, megabytes: Number(name), bytes, ...Object.fromEntries(rounded) });
        table.push([
          verb,
          `${name} MB`,
          `${(peakBytes / 1e6).toFixed(0)} MB`,
          perByte.toFixed(2),
          `${cpuSeconds.toFixed(2)} s`,
          `${(1e3 * perMegabyte).toFixed(1)} ms`,
        ]);
        say(`memory-scaling: ${verb} of ${name} MB holds ${perByte.toFixed(2)} of the file`);
        if (perByte > MOST_PER_BYTE)
          missed.push(
            `${verb} of ${name} MB holds ${perByte.toFixed(2)} bytes for one of the file, at most ${MOST_PER_BYTE}`,
          );
      }
      const growth = times[2] / times[1];
      if (growth > MOST_GROWTH)
        missed.push(`${verb}: a byte of 100 MB takes ${growth.toFixed(2)} times that of 30 MB, at most ${MOST_GROWTH}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { records, table, skipped: [], missed };
}

/** What a verb takes for a chain of layers, in a process of its own. */
function measure(verb: Verb, widths: readonly number[], depth: number, folder: string) {
  const [model, data, out] = ['model.onnx', 'data.npz', 'out'].map((name) => join(folder, name));
  writeFileSync(model, writeModel(chain(widths, depth, verb === 'compile')));
  writeFileSync(data, writeNpz(new Map([['x', normal([SAMPLES, depth], new Rng(2))]]), 'stored'));
  const args = [verb, model, '--out', out, ...(verb === 'compress' ? ['--data', data] : [])];
  const runs = Array.from({ length: ROUNDS }, () => usageOf(args, folder));
  return {
    bytes: statSync(model).size,
    peakBytes: 1024 * median(runs.map(({ peakKb }) => peakKb)),
    cpuSeconds: Math.min(...runs.map(({ userUs, systemUs }) => userUs + systemUs)) / 1e6,
  };
}

function usageOf(args: readonly string[], folder: string): Usage {
  const path = join(folder, 'usage.json');
  const env = { ...process.env, HONE_BENCH_USAGE: path };
  const cli = join(ROOT, 'dist/lib/cli/main.js');
  execFileSync(process.execPath, ['-r', require.resolve('./usage-report'), cli, ...args], { env, stdio: 'ignore' });
  return JSON.parse(readFileSync(path, 'utf8')) as Usage;
}

/** x [1, depth] through Gemm and MatMul in turns, with int8 weights between grids, or float ones. */
function chain(widths: readonly number[], depth: number, quantized: boolean) {
  const b = new GraphBuilder();
  const rng = new Rng(1);
  const scalar = (type: 'float32' | 'uint8', value: number) => b.initializer(tensorFrom(type, [], [value]));
  const pair = (value: string): string => {
    const grid = [scalar('float32', 2 ** -4), scalar('uint8', 128)];
    return quantized ? b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]) : value;
  };
  const weights = (dims: readonly [number, number], axis: number): string => {
    if (!quantized) return b.initializer(normal(dims, rng));
    const codes = Int8Array.from({ length: dims[0] * dims[1] }, () => rng.integer(-127, 127));
    const scales = Float32Array.from({ length: dims[axis] }, () => 1e-4 * (1 + rng.uniform()));
    const inputs = [tensorOf('int8', dims, codes), tensorOf('float32', [dims[axis]], scales)];
    return b.node(
      'DequantizeLinear',
      inputs.map((tensor) => b.initializer(tensor)),
      { axis },
    );
  };
  let value = pair(b.input('x', 'float32', ['N', depth]));
  let rows = depth;
  for (const [index, width] of widths.entries()) {
    value = pair(
      index % 2 === 0
        ? b.node('Gemm', [value, weights([width, rows], 0)], { transB: 1 })
        : b.node('MatMul', [value, weights([rows, width], 1)]),
    );
    rows = width;
  }
  b.output(value, 'float32', ['N', rows]);
  return b.build();
}

function normal(dims: readonly number[], rng: Rng): Tensor {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  for (let i = 0; i < data.length; i++) data[i] = rng.normal() / Math.sqrt(dims.at(-1)!);
  return tensorOf('float32', dims, data);
}
