import { describeCpu } from '../../lib/engine/session';
import { OPERATORS } from '../../lib/ops';
import { COMPOSITES } from '../../lib/ops/composites/find-composite';
import { DRAWS, UNDRAWN } from './draws/table';
import { bitDifference, judgeGraph, type Verdict } from './judge-graph';
import { type RandomGraph, randomGraph, randomGraphOf } from './random-graph';

const WORDS = describeCpu().split(',');
const RUNS = [...WORDS.map((word) => [word, 1] as const), ['ref', 2] as const, [WORDS.at(-1)!, 3] as const];

/** The verdict on a graph, in words where it is a fault; every tensor on every instruction set as on the reference rows. */
async function judge(item: RandomGraph): Promise<{ readonly kind: Verdict['kind']; readonly fault?: string }> {
  const verdict = await judgeGraph(item);
  if (verdict.kind === 'fault') return { kind: 'fault', fault: verdict.why };
  const bits = 'plan' in verdict ? bitDifference(verdict.plan, item.feeds, RUNS) : undefined;
  return bits === undefined ? { kind: verdict.kind } : { kind: 'fault', fault: bits };
}

const known = [
  ...OPERATORS.map(({ domain, op }) => [domain, op] as const),
  ...Object.entries(COMPOSITES).flatMap(([domain, row]) => Object.keys(row).map((op) => [domain, op] as const)),
].map(([domain, op]) => (domain === '' ? op : `${domain}:${op}`));

test('every operator is drawn, or it is said why not', () => {
  expect(known.filter((op) => !(op in DRAWS) && !(op in UNDRAWN))).toEqual([]);
  expect(Object.keys(UNDRAWN).filter((op) => op in DRAWS)).toEqual([]);
  expect(
    Object.keys(DRAWS)
      .filter((op) => !known.includes(op))
      .sort(),
  ).toEqual(['If', 'Loop', 'Scan']);
});

// DequantizeLinear and QuantizeLinear fold where they read constants alone: networks of them are in networks.test.ts.
test('graphs of every operator give what onnxruntime gives, and the same bytes on every instruction set', async () => {
  const faults: string[] = [];
  const without: string[] = [];
  for (const op of Object.keys(DRAWS)) {
    let ran = false;
    for (let seed = 1; seed <= 8 && !ran; seed++) {
      const item = randomGraphOf(op, seed);
      if (!item) continue;
      const { kind, fault } = await judge(item);
      if (fault !== undefined) faults.push(`${op}, seed ${seed}: ${fault}`);
      ran = kind === 'equal' || kind === 'excused';
    }
    if (!ran) without.push(op);
  }
  expect(faults).toEqual([]);
  expect(without).toEqual([]);
});

test('100 random graphs: none differs, and the engine runs at least 95 of 100', async () => {
  const faults: string[] = [];
  let refused = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const item = randomGraph(seed);
    const { kind, fault } = await judge(item);
    if (fault !== undefined) faults.push(`seed ${seed}: ${fault}: ${item.what}`);
    if (kind === 'refused') refused++;
  }
  expect(faults).toEqual([]);
  expect(refused).toBeLessThanOrEqual(5);
});
