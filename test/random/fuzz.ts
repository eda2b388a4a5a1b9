// Random graphs against onnxruntime and over the instruction sets of this machine:
//   node dist/test/random/fuzz.js [--count N] [--seed N] [--of OPERATOR] [--plans FOLDER]
// --plans writes plans with their inputs for `compare_runs`, which then does the second part.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeCpu } from '../../lib/engine/session';
import { bitDifference, judgeGraph } from './judge-graph';
import { type RandomGraph, randomGraph, randomGraphOf } from './random-graph';

function optionOf(option: string): string | undefined {
  const at = process.argv.indexOf(option);
  return at === -1 ? undefined : process.argv[at + 1];
}

/** How often something happened. */
class Tally {
  private readonly counts = new Map<string, number>();
  add(key: string): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }
  most(): readonly (readonly [string, number])[] {
    return [...this.counts].sort(([, a], [, b]) => b - a);
  }
}

const WORDS = describeCpu().split(',');
const RUNS = ['ref', ...WORDS].flatMap((cpu) => [1, 2, 3].map((threads) => [cpu, threads] as const)).slice(1);

/** What is wrong with the bytes of a plan in words, or its files for another program to tell. */
function compareBits(plan: Uint8Array, { feeds, graph }: RandomGraph, seed: number): string | undefined {
  const folder = optionOf('--plans');
  if (folder === undefined) return bitDifference(plan, feeds, RUNS);
  writeFileSync(join(folder, `${seed}.plan`), plan);
  writeFileSync(join(folder, `${seed}.inputs`), Buffer.concat(graph.inputs.map((name) => feeds.get(name)!.bytes)));
  return undefined;
}

async function main(): Promise<void> {
  const seed = Number(optionOf('--seed') ?? Math.floor(Math.random() * 2 ** 31));
  const count = Number(optionOf('--count') ?? 1000);
  const operator = optionOf('--of');
  console.log(`${count} random graphs from seed ${seed}`);
  const [kinds, reasons, operators] = [new Tally(), new Tally(), new Tally()];
  let faults = 0;
  for (let at = seed; at < seed + count; at++) {
    const item = operator === undefined ? randomGraph(at) : randomGraphOf(operator, at);
    if (!item) {
      kinds.add('not drawn');
      continue;
    }
    const verdict = await judgeGraph(item);
    kinds.add(verdict.kind);
    if ('why' in verdict && verdict.kind !== 'fault') reasons.add(`${verdict.kind}: ${verdict.why}`);
    const bits = 'plan' in verdict ? compareBits(verdict.plan, item, at) : undefined;
    if ('plan' in verdict) for (const op of new Set(item.operators)) operators.add(op);
    const fault = verdict.kind === 'fault' ? verdict.why : bits;
    if (fault === undefined) continue;
    faults++;
    console.log(`seed ${at}: ${fault}\n    ${item.what}`);
  }
  for (const [key, times] of reasons.most()) console.log(`${String(times).padStart(7)} ${key}`);
  const ran = operators.most();
  const fewest = ran.slice(-5).map(([op, times]) => `${op} ${times}`);
  console.log(`${ran.length} operators ran; fewest: ${fewest.join(', ')}`);
  console.log(
    `${kinds
      .most()
      .map(([kind, times]) => `${times} ${kind}`)
      .join(', ')}; ${faults} faults`,
  );
  process.exitCode = faults > 0 ? 1 : 0;
}

void main();
