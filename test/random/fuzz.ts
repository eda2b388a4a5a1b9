// Random graphs against onnxruntime and over the instruction sets of this machine:
//   node dist/test/random/fuzz.js [--count N] [--seed N] [--of OPERATOR]
import { describeCpu } from '../../lib/engine/session';
import { bitDifference, judgeGraph } from './judge-graph';
import { randomGraph, randomGraphOf } from './random-graph';

const numberOf = (option: string, otherwise: number): number => {
  const at = process.argv.indexOf(option);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};

async function main(): Promise<void> {
  const seed = numberOf('--seed', Math.floor(Math.random() * 2 ** 31));
  const count = numberOf('--count', 1000);
  const at = process.argv.indexOf('--of');
  const words = describeCpu()
    .split(/[ ,]+/)
    .filter((word) => word !== '' && word !== 'ref');
  console.log(`${count} random graphs from seed ${seed}; instruction sets: ${words.join(' ')}`);
  const counts = new Map<string, number>();
  const operators = new Map<string, number>();
  const add = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  let faults = 0;
  for (let i = 0; i < count; i++) {
    const item = at === -1 ? randomGraph(seed + i) : randomGraphOf(process.argv[at + 1], seed + i);
    if (!item) {
      add('not drawn');
      continue;
    }
    const verdict = await judgeGraph(item);
    add(verdict.kind);
    if (verdict.kind === 'refused' || verdict.kind === 'excused' || verdict.kind === 'unjudged')
      add(`${verdict.kind}: ${verdict.why}`);
    if (verdict.kind === 'fault') {
      faults++;
      console.log(`seed ${seed + i}: ${verdict.why}\n    ${item.what}`);
    }
    if (!('plan' in verdict)) continue;
    for (const op of new Set(item.operators)) operators.set(op, (operators.get(op) ?? 0) + 1);
    const runs = ['ref', ...words].flatMap((cpu) => [1, 2, 3].map((threads) => [cpu, threads] as const));
    const bits = bitDifference(verdict.plan, item.feeds, runs.slice(1));
    if (bits === undefined) continue;
    faults++;
    console.log(`seed ${seed + i}: ${bits}\n    ${item.what}`);
  }
  for (const [key, times] of [...counts].sort()) console.log(`${String(times).padStart(7)} ${key}`);
  const least = [...operators].sort(([, a], [, b]) => a - b).slice(0, 12);
  console.log(`${operators.size} operators ran; fewest: ${least.map(([op, times]) => `${op} ${times}`).join(', ')}`);
  console.log(`${faults} faults`);
  process.exitCode = faults > 0 ? 1 : 0;
}

void main();
