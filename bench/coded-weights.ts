import { compile } from '../lib/compile/compile';
import { Rng } from '../lib/core/rng';
import { describeCpu, openSession } from '../lib/engine/session';
import { GraphBuilder } from '../lib/ir/builder';
import type { Graph } from '../lib/ir/graph';
import { tensorFrom, tensorOf } from '../lib/ir/tensor';
import { fromDense } from '../lib/ops/dense';
import { prepare } from '../lib/passes/pipeline';
import { type Native, openNative } from './native';
import { ratioSpread, repeatFor, spreadOf, timeInterleaved } from './timing';
import type { TrialContext, TrialOutcome } from './trial';

/** Square layers one behind the other: one alone stays in a large cache, several come from memory each time. */
const SIZES = [
  { rows: 1, size: 1024, layers: 1 },
  { rows: 1, size: 1024, layers: 32 },
  { rows: 4, size: 1024, layers: 32 },
  { rows: 1, size: 4096, layers: 2 },
] as const;
type Size = (typeof SIZES)[number];

const partOf = ({ rows, size, layers }: Size): string => `${layers} of ${rows}x${size}x${size}`;
export const CODED_WEIGHTS_PARTS: readonly string[] = SIZES.map(partOf);

/** Weights of a layer by the name of their form; `int8` ones multiply quantized activations. */
const FORMS: Readonly<Record<string, { integer: boolean; weights(b: GraphBuilder, size: number, rng: Rng): string }>> =
  {
    f32: { integer: false, weights: (b, size, rng) => floats(b, size, () => rng.normal() / 32) },
    'int8 per column': { integer: false, weights: (b, size, rng) => quantized(b, size, rng, 'int8', 0) },
    'int4 in groups of 32': { integer: false, weights: (b, size, rng) => quantized(b, size, rng, 'int4', 32) },
    'codebook of 16': { integer: false, weights: (b, size, rng) => floats(b, size, pickOf(rng, 16)) },
    int8: { integer: true, weights: (b, size, rng) => quantized(b, size, rng, 'int8', 0) },
    'int8 x int4': { integer: true, weights: (b, size, rng) => quantized(b, size, rng, 'int4', 0) },
  };
const RIVALS: Readonly<Record<string, string>> = { 'int8 x int4': 'int8' };

/**
 * Fully connected layers of few rows over weights in every form that a plan has, interleaved, one thread, with all instruction sets
 * of this CPU and with the most common alone.
 */
export async function runCodedWeights({ pairs, say, wants, keep }: TrialContext): Promise<TrialOutcome> {
  const header = ['CPU', 'layers', 'weights', 'plan bytes', 'packed bytes', 'µs', '÷ f32 or int8', 'of the least'];
  const all = describeCpu();
  const sets = new Set([all, all.split(',')[0]]);
  const table = [header];
  for (const size of SIZES) {
    const what = partOf(size);
    if (!wants(what)) continue;
    const plans = Object.keys(FORMS).map((name) => planOf(size, name));
    for (const cpu of sets) {
      say(`coded-weights: ${what}, ${cpu}`);
      const natives = plans.map((plan) =>
        openNative(plan, { open: (bytes, options) => openSession(bytes, { ...options, cpu }) }),
      );
      try {
        const series = await timeAll(natives, Math.max(20, Math.round(pairs / size.layers)));
        for (const [index, name] of Object.keys(FORMS).entries()) {
          const rival = series[Object.keys(FORMS).indexOf(RIVALS[name] ?? 'f32')];
          const { planBytes, packedBytes } = natives[index].memory;
          const [us, ratio] = [spreadOf(series[index]), ratioSpread(series[index], rival).median];
          const ratioOfLeast = us.least / spreadOf(rival).least;
          await keep({
            instructionSets: cpu,
            layers: what,
            weights: name,
            planBytes,
            packedBytes,
            us,
            ratio,
            ratioOfLeast,
          });
          table.push([
            ...[cpu, what, name, String(planBytes), String(packedBytes)],
            ...[us.median.toFixed(1), ratio.toFixed(3), ratioOfLeast.toFixed(3)],
          ]);
        }
      } finally {
        for (const native of natives) native.close();
      }
    }
  }
  return { records: [], table, skipped: [], missed: [] };
}

async function timeAll(natives: readonly Native[], rounds: number): Promise<Float64Array[]> {
  const subjects = natives.map(({ subject }) => subject);
  const first = await timeInterleaved(subjects, { rounds: 3, warmUp: 2, repeat: 1 });
  const repeat = repeatFor(Math.min(...first.map((us) => spreadOf(us).median)));
  return timeInterleaved(subjects, { rounds, warmUp: 5, repeat });
}

function planOf({ rows, size, layers }: Size, name: string): Uint8Array {
  return compile(prepare(graphOf(rows, size, layers, name)).graph, { sourceHash: '0'.repeat(64) }).plan;
}

function graphOf(rows: number, size: number, layers: number, name: string): Graph {
  const [b, rng] = [new GraphBuilder(), new Rng(1)];
  const { integer, weights } = FORMS[name];
  const grid = [b.initializer(tensorFrom('float32', [], [0.05]), 's'), b.initializer(tensorFrom('int8', [], [0]), 'z')];
  const pair = (value: string) =>
    integer ? b.node('DequantizeLinear', [b.node('QuantizeLinear', [value, ...grid]), ...grid]) : value;
  let value = pair(b.input('x', 'float32', [rows, size]));
  for (let layer = 0; layer < layers; layer++) value = pair(b.node('MatMul', [value, weights(b, size, rng)]));
  b.output(value, 'float32', [rows, size]);
  return b.build();
}

function floats(b: GraphBuilder, size: number, draw: () => number): string {
  return b.initializer(tensorOf('float32', [size, size], Float32Array.from({ length: size * size }, draw)), 'w');
}

function pickOf(rng: Rng, count: number): () => number {
  const entries = Array.from({ length: count }, () => rng.normal() / 32);
  return () => entries[rng.integer(0, count - 1)];
}

function quantized(b: GraphBuilder, size: number, rng: Rng, type: 'int4' | 'int8', block: number): string {
  const most = type === 'int4' ? 7 : 127;
  const data = Int8Array.from({ length: size * size }, () => rng.integer(-most, most));
  const dims = block > 0 ? [size / block, size] : [size];
  const count = dims.reduce((product, dim) => product * dim, 1);
  const scales = Float32Array.from({ length: count }, () => (1 + rng.uniform()) / (most * 32));
  return b.node(
    'DequantizeLinear',
    [
      b.initializer(fromDense({ type, dims: [size, size], data }), 'w'),
      b.initializer(tensorOf('float32', dims, scales), 's'),
    ],
    block > 0 ? { axis: 0, block_size: block } : { axis: 1 },
  );
}
