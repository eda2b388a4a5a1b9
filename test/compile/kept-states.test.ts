import { compile } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom, viewAs } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { floats, uniform } from '../ops/op-case';
import { HASH } from './run-case';

/** One step of an LSTM: x [1, 1, 4] and the states h and c [1, 1, 8]. */
function lstmStep(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 1, 4]);
  const [h, c] = [b.input('h', 'float32', [1, 1, 8]), b.input('c', 'float32', [1, 1, 8])];
  const weights = [uniform([1, 32, 4], 1), uniform([1, 32, 8], 2), uniform([1, 64], 3)].map((tensor) =>
    b.initializer(tensor, 'w'),
  );
  const outputs = b.nodes('LSTM', [x, ...weights, '', h, c], 3, { hidden_size: 8 }, { outputs: ['y', 'hn', 'cn'] });
  for (const output of outputs) b.output(output);
  return b.build();
}

/** Attention of one token over a cache of 6: keys and values [6, 4] are kept, the token is written at its place. */
function decoderStep(): Graph {
  const b = new GraphBuilder();
  const [x, at] = [b.input('x', 'float32', [1, 4]), b.input('at', 'int64', [1, 1])];
  const cached = ['keys', 'values'].map((name, index) => {
    const made = b.node('MatMul', [x, b.initializer(uniform([4, 4], 5 + index), 'w')]);
    return b.node('ScatterND', [b.input(name, 'float32', [6, 4]), at, made], {}, { outputs: [`${name}_out`] });
  });
  const scores = b.node('MatMul', [x, b.node('Transpose', [cached[0]], { perm: [1, 0] })]);
  const seen = b.node('LessOrEqual', [b.initializer(tensorFrom('int64', [1, 6], [0, 1, 2, 3, 4, 5]), 'places'), at]);
  const masked = b.node('Where', [seen, scores, b.initializer(floats([-1e30], [1]), 'least')]);
  b.output(b.node('MatMul', [b.node('Softmax', [masked]), cached[1]], {}, { outputs: ['y'] }));
  for (const output of cached) b.output(output);
  return b.build();
}

const NETWORKS: readonly (readonly [name: string, graph: Graph, states: ReadonlyMap<string, string>])[] = [
  [
    'LSTM',
    lstmStep(),
    new Map([
      ['h', 'hn'],
      ['c', 'cn'],
    ]),
  ],
  [
    'decoder with a cache of keys and values',
    decoderStep(),
    new Map([
      ['keys', 'keys_out'],
      ['values', 'values_out'],
    ]),
  ],
];

test.each(NETWORKS)('%s: states in the plan do what carrying them does', (_, graph, states) => {
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
  expect(() => compile(prepareForEngine(lstmStep()), options)).toThrow(
    expect.objectContaining({ code: 'E_OPTION_VALUE' }),
  );
});
