import { compile } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { openSession } from '../../lib/engine/session';
import { viewAs } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { uniform } from '../ops/op-case';
import { STATE_NETWORKS } from './plan-networks';
import { HASH } from './run-case';

test.each(STATE_NETWORKS)('%s: states in the plan do what carrying them does', (_, graph, states) => {
  const prepared = prepareForEngine(graph);
  const carried = openSession(compile(prepared, { sourceHash: HASH }).plan);
  const kept = openSession(compile(prepared, { sourceHash: HASH, states }).plan, { threads: 2 });
  expect(kept.inputs.map(({ name }) => name)).toEqual(graph.inputs.filter((name) => !states.has(name)));
  expect(kept.outputs.map(({ name }) => name)).toEqual(['y']);
  expect(kept.memory.stateBytes).toBeGreaterThan(0);
  const zeros = (): Map<string, PlanArray> =>
    new Map(
      [...states.keys()].map((name) => [
        name,
        new Float32Array(carried.inputs.find((port) => port.name === name)!.length),
      ]),
    );
  for (let sequence = 0; sequence < 2; sequence++) {
    let state = zeros();
    for (let step = 0; step < 5; step++) {
      const { dims } = carried.inputs.find(({ name }) => name === 'x')!;
      const feeds = {
        x: viewAs(uniform(dims, 10 * sequence + step), 'float32'),
        ...(graph.inputs.includes('at') ? { at: BigInt64Array.of(BigInt(step)) } : {}),
      };
      const expected = carried.run({ ...feeds, ...Object.fromEntries(state) });
      expect(kept.run(feeds)).toEqual({ y: expected.y });
      state = new Map([...states].map(([input, output]) => [input, expected[output]]));
    }
    // The next sequence begins with zeros again.
    kept.reset();
  }
  carried.close();
  kept.close();
});

test.each([
  ['an input that there is not', [['z', 'hn']]],
  ['an output that there is not', [['h', 'z']]],
  ['another shape', [['x', 'hn']]],
  [
    'one output for two',
    [
      ['h', 'hn'],
      ['c', 'hn'],
    ],
  ],
] as const)('states are refused: %s', (_, states) => {
  const options = { sourceHash: HASH, states: new Map<string, string>(states) };
  expect(() => compile(prepareForEngine(STATE_NETWORKS[0][1]), options)).toThrow(
    expect.objectContaining({ code: 'E_OPTION_VALUE' }),
  );
});
