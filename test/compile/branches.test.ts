import { compile, diagnose } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { floats, uniform } from '../ops/op-case';
import { HASH, runEngine, runReference } from './run-case';

type Make = (b: GraphBuilder) => string;

/** A branch with one output. */
function branch(make: Make): { kind: 'graph'; value: Graph } {
  const b = new GraphBuilder();
  b.output(b.node('Identity', [make(b)], {}, { outputs: ['made'] }));
  return { kind: 'graph', value: b.build() };
}

/** A layer over x, large enough to be worth leaving out. */
const layer =
  (columns: number, seed: number): Make =>
  (b) =>
    b.node('Relu', [b.node('MatMul', ['x', b.initializer(uniform([64, columns], seed), 'w')])]);

const choose = (b: GraphBuilder, condition: string, then: Make, other: Make): string =>
  b.node('If', [condition], { then_branch: branch(then), else_branch: branch(other) });

const MICROSOFT = { domain: 'com.microsoft' };

/** A choice over x [2, 64] by the inputs c and d, and what follows it. */
const GRAPHS: Readonly<Record<string, (b: GraphBuilder) => readonly string[]>> = {
  'two layers': (b) => [choose(b, 'c', layer(64, 1), layer(64, 2))],
  'a layer or the input itself': (b) => [choose(b, 'c', layer(64, 3), () => 'x')],
  'one within the other': (b) => [
    choose(b, 'c', layer(64, 4), (inner) => choose(inner, 'd', layer(64, 5), layer(64, 6))),
  ],
  'one behind the other': (b) => {
    const first = choose(b, 'c', layer(64, 7), layer(64, 8));
    return [b.node('Add', [choose(b, 'd', layer(64, 9), () => 'x'), first])];
  },
  'what both sides and others read': (b) => {
    const shared = b.node('Exp', ['x']);
    const with_ =
      (seed: number): Make =>
      (inner) =>
        inner.node('Add', [layer(64, seed)(inner), shared]);
    return [choose(b, 'c', with_(10), with_(11)), shared];
  },
  'layers that an optimiser fused': (b) => {
    const fused =
      (seed: number): Make =>
      (inner) =>
        inner.node('FusedMatMul', ['x', inner.initializer(uniform([64, 64], seed), 'w')], { transB: 1 }, MICROSOFT);
    return [choose(b, 'c', fused(20), layer(64, 21))];
  },
  'a computed condition': (b) => {
    const sum = b.node('ReduceSum', ['x'], { keepdims: 0 });
    const positive = b.node('Greater', [sum, b.initializer(tensorFrom('float32', [], [0]), 'zero')]);
    return [choose(b, positive, layer(64, 12), layer(64, 13))];
  },
};

function graphOf(name: string): Graph {
  const b = new GraphBuilder();
  b.input('x', 'float32', [2, 64]);
  for (const condition of ['c', 'd']) b.input(condition, 'bool', []);
  for (const output of GRAPHS[name](b)) b.output(output, 'float32', [2, 64]);
  return b.build();
}

const truth = (value: number): Tensor => tensorFrom('bool', [], [value]);

describe.each(Object.keys(GRAPHS))('a choice: %s', (name) => {
  const graph = graphOf(name);
  const { plan, description } = compile(prepareForEngine(graph), { sourceHash: HASH });

  test.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])('where the conditions are %i and %i', async (c, d) => {
    const feeds = new Map([
      ['x', uniform([2, 64], 20 + c + d)],
      ['c', truth(c)],
      ['d', truth(d)],
    ]);
    const used = new Map([...feeds].filter(([input]) => graph.inputs.includes(input)));
    const expected = await runReference(graph, used);
    const found = runEngine(plan, used, 2);
    for (const [output, tensor] of expected)
      expect(largestDifference(found[output], toNumbers(tensor))).toBeLessThan(1e-5);
  });

  test('leaves out what its condition does not ask for', () => {
    const session = openSession(plan);
    const { nodes } = description.variants[0];
    expect(nodes.some(({ op }) => op === 'skip')).toBe(true);
    const ran = [0, 1].map((value) => {
      const all = { x: uniform([2, 64], 3), c: truth(value), d: truth(value) };
      const feeds = session.inputs.map(({ name: input }) => [input, viewOf(all[input as 'x'])]);
      return session.dump(Object.fromEntries(feeds)).length;
    });
    session.close();
    expect(Math.min(...ran)).toBeLessThan(nodes.length);
    const timed = openSession(plan, { profile: true });
    const once = { x: uniform([2, 64], 3), c: truth(0), d: truth(0) };
    timed.run(Object.fromEntries(timed.inputs.map(({ name: input }) => [input, viewOf(once[input as 'x'])])));
    const profile = timed.profile().nodes;
    timed.close();
    // What was left out has no figures, instead of odd ones.
    const idle = profile.filter(({ runs }) => runs === 0);
    expect(idle.length).toBeGreaterThan(0);
    expect(idle.every(({ meanNs, leastNs, p99Ns }) => meanNs === 0 && leastNs === 0 && p99Ns === 0)).toBe(true);
  });
});

function viewOf({ type, bytes }: Tensor): Float32Array | Uint8Array {
  return type === 'bool' ? Uint8Array.from(bytes) : new Float32Array(Uint8Array.from(bytes).buffer);
}

function largestDifference(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found).toHaveLength(expected.length);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

test('a branch that cannot be right for the shapes at hand is left out, and said so', async () => {
  const b = new GraphBuilder();
  b.input('x', 'float32', [2, 64]);
  b.input('c', 'bool', []);
  const wrong: Make = (inner) =>
    inner.node('MatMul', ['x', inner.initializer(floats(new Array(9).fill(1), [3, 3]), 'w')]);
  b.output(
    b.node('If', ['c'], { then_branch: branch(layer(64, 1)), else_branch: branch(wrong) }, { name: 'it' }),
    'float32',
    [2, 64],
  );
  const notes: { where: string; message: string }[] = [];
  const graph = prepareForEngine(b.build(), undefined, notes as never);
  expect(notes).toEqual([
    expect.objectContaining({
      where: 'it',
      message:
        'its else branch cannot be right for inputs of these shapes: the then branch is taken, and a run whose condition asks for the other fails',
    }),
  ]);
  const { plan } = compile(graph, { sourceHash: HASH });
  const feeds = new Map([['x', uniform([2, 64], 3)], ['c', truth(1)] as const]);
  const plain = new GraphBuilder();
  plain.input('x', 'float32', [2, 64]);
  plain.output(layer(64, 1)(plain));
  const [expected] = (await runReference(plain.build(), new Map([['x', feeds.get('x')!]]))).values();
  const [name] = graph.outputs;
  expect(largestDifference(runEngine(plan, feeds)[name], toNumbers(expected))).toBeLessThan(1e-5);
  expect(() => runEngine(plan, new Map([...feeds, ['c', truth(0)] as const]))).toThrow(
    expect.objectContaining({ code: 'E_BRANCH_LEFT_OUT', message: expect.stringContaining("'it'") }),
  );
});

test('a branch that is left out is asked for only where the If that has it is', async () => {
  // Inside of the other branch of an outer If nobody looks; an else that is taken is asked for by false.
  const inner: Make = (b) => {
    const wrong: Make = (own) => own.node('MatMul', ['x', own.initializer(uniform([3, 3]), 'w')]);
    return b.node('If', ['d'], { then_branch: branch(wrong), else_branch: branch(() => 'x') }, { name: 'inner' });
  };
  const b = new GraphBuilder();
  b.input('x', 'float32', [2, 64]);
  for (const name of ['c', 'd']) b.input(name, 'bool', [1]);
  b.output(b.node('If', ['c'], { then_branch: branch(layer(64, 1)), else_branch: branch(inner) }), 'float32', [2, 64]);
  const { plan } = compile(prepareForEngine(b.build()), { sourceHash: HASH });
  const run = (c: number, d: number) =>
    runEngine(
      plan,
      new Map([
        ['x', uniform([2, 64], 3)],
        ['c', flag(c)],
        ['d', flag(d)],
      ]),
    );
  for (const [c, d] of [
    [1, 0],
    [1, 1],
    [0, 0],
  ])
    expect(Object.values(run(c, d))[0]).toHaveLength(128);
  expect(() => run(0, 1)).toThrow(expect.objectContaining({ code: 'E_BRANCH_LEFT_OUT' }));
});

const flag = (value: number) => tensorFrom('bool', [1], [value]);

test('an index beyond the table is refused by the name of the node, and the session goes on', () => {
  const b = new GraphBuilder();
  const table = b.initializer(floats([1, 2, 3, 4], [4, 1]), 'table');
  b.output(b.node('Gather', [table, b.input('ids', 'int64', [2])], {}, { name: 'embed' }));
  const session = openSession(compile(prepareForEngine(b.build()), { sourceHash: HASH }).plan);
  const run = (...ids: number[]) => Object.values(session.run({ ids: BigInt64Array.from(ids, BigInt) }))[0];
  for (const ids of [
    [0, 4],
    [-5, 1],
  ])
    expect(() => run(...ids)).toThrow(
      expect.objectContaining({ code: 'E_INPUT_INDEX', message: expect.stringContaining("'embed'") }),
    );
  expect(Array.from(run(3, -4) as Float32Array)).toEqual([4, 1]);
  expect(() => session.dump({ ids: BigInt64Array.of(9n, 0n) })).toThrow(/'embed'/);
  session.close();
});

/** A body over a state [1, 4] that adds to it, with what one round gives besides. */
function body(
  inputs: (b: GraphBuilder) => { state: string; add: string },
  first: (b: GraphBuilder) => readonly string[],
) {
  const b = new GraphBuilder();
  const before = first(b);
  const { state, add } = inputs(b);
  const next = b.node(
    'Add',
    [b.node('Mul', [state, b.initializer(floats([0.5], [1]), 'half')]), add],
    {},
    { outputs: ['next'] },
  );
  for (const output of [...before, next, b.node('Exp', [next], {}, { outputs: ['seen'] })]) b.output(output);
  return { kind: 'graph', value: b.build() } as const;
}

const scanBody = body(
  (b) => ({ state: b.input('h', 'float32', [1, 4]), add: b.input('part', 'float32', [1, 4]) }),
  () => [],
);
const loopBody = (b: GraphBuilder) => {
  const go = b.input('go', 'bool', []);
  return [b.node('Identity', [go], {}, { outputs: ['still'] })];
};

/** Loops over x [3, 1, 4] and the state s [1, 4], with what they give: the last state, and what every round adds. */
const LOOPS: Readonly<Record<string, (b: GraphBuilder) => readonly string[]>> = {
  Scan: (b) => b.nodes('Scan', ['s', 'x'], 2, { body: scanBody, num_scan_inputs: 1 }),
  'Scan backwards, along the last axis of what it gives': (b) =>
    b.nodes('Scan', ['s', 'x'], 2, {
      body: scanBody,
      num_scan_inputs: 1,
      scan_input_directions: [1],
      scan_output_axes: [-1],
      scan_output_directions: [1],
    }),
  'Scan along the second axis': (b) =>
    b.nodes('Scan', ['s', b.node('Transpose', ['x'], { perm: [1, 0, 2] })], 2, {
      body: scanBody,
      num_scan_inputs: 1,
      scan_input_axes: [1],
    }),
  Loop: (b) =>
    b.nodes('Loop', [b.initializer(tensorFrom('int64', [], [3]), 'rounds'), '', 's'], 2, {
      body: body(
        (inner) => {
          const add = inner.node('Cast', ['i'], { to: 1 });
          return { state: inner.input('h', 'float32', [1, 4]), add };
        },
        (inner) => {
          inner.input('i', 'int64', []);
          return loopBody(inner);
        },
      ),
    }),
};

test.each(Object.keys(LOOPS))('a loop of known rounds runs as they stand one behind the other: %s', async (name) => {
  const b = new GraphBuilder();
  b.input('x', 'float32', [3, 1, 4]);
  b.input('s', 'float32', [1, 4]);
  for (const output of LOOPS[name](b)) b.output(output, 'float32', undefined);
  const graph = b.build();
  const feeds = new Map([
    ['x', uniform([3, 1, 4], 1)],
    ['s', uniform([1, 4], 2)],
  ]);
  const expected = await runReference(graph, feeds);
  const prepared = prepareForEngine(graph);
  expect(prepared.nodes.map(({ op }) => op)).not.toContain(name.split(' ')[0]);
  const found = runEngine(compile(prepared, { sourceHash: HASH }).plan, feeds);
  for (const [output, tensor] of expected) {
    expect(prepared.values.get(output)?.shape).toEqual(tensor.dims);
    expect(largestDifference(found[output], toNumbers(tensor))).toBeLessThan(1e-5);
  }
});

const three = (b: GraphBuilder) => b.initializer(tensorFrom('int64', [], [3]), 'rounds');
const untilFirst = (b: GraphBuilder) => [
  b.node('Less', ['i', b.initializer(tensorFrom('int64', [], [0]), 'none')], {}, { outputs: ['still'] }),
];

test.each<[string, (b: GraphBuilder) => string, (b: GraphBuilder) => readonly string[]]>([
  ['an input tells its rounds', (b) => b.input('rounds', 'int64', []), loopBody],
  ['there are too many', (b) => b.initializer(tensorFrom('int64', [], [2 ** 20]), 'rounds'), loopBody],
  [
    'it may end itself',
    three,
    (b) => {
      b.input('go', 'bool', []);
      return untilFirst(b);
    },
  ],
])('a Loop is refused by name when %s', (_, rounds, condition) => {
  const b = new GraphBuilder();
  b.input('s', 'float32', [1, 4]);
  const inner = body(
    (each) => ({ state: each.input('h', 'float32', [1, 4]), add: 's' }),
    (each) => {
      each.input('i', 'int64', []);
      return condition(each);
    },
  );
  for (const output of b.nodes('Loop', [rounds(b), '', 's'], 2, { body: inner }))
    b.output(output, 'float32', undefined);
  const missing = diagnose(prepareForEngine(b.build()));
  expect(missing.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^Loop: /));
});

test('constants of branches that a function is taken of are chosen between as they are', async () => {
  const b = new GraphBuilder();
  b.input('c', 'bool', []);
  const constant =
    (seed: number): Make =>
    (inner) =>
      inner.initializer(uniform([2, 64], seed), 'k');
  // Both of its values are known: nothing is left of the choice in either graph that tells their shapes.
  b.output(b.node('Exp', [choose(b, 'c', constant(1), constant(2))], {}, { outputs: ['y'] }), 'float32', [2, 64]);
  const graph = b.build();
  const { plan } = compile(prepareForEngine(graph), { sourceHash: HASH });
  for (const value of [0, 1]) {
    const feeds = new Map([['c', truth(value)]]);
    const [expected] = (await runReference(graph, feeds)).values();
    expect(largestDifference(runEngine(plan, feeds).y, toNumbers(expected))).toBeLessThan(1e-6);
  }
});

test('an If whose branches give other shapes is refused by name, even where one of them would repeat', () => {
  const b = new GraphBuilder();
  b.input('x', 'float32', [2, 64]);
  b.input('c', 'bool', []);
  const mean: Make = (inner) =>
    inner.node('ReduceMean', ['x', inner.initializer(tensorFrom('int64', [1], [0]), 'axes')]);
  const attributes = { then_branch: branch(layer(64, 1)), else_branch: branch(mean) };
  b.output(b.node('If', ['c'], attributes), 'float32', undefined);
  const missing = diagnose(prepareForEngine(b.build()));
  expect(missing.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^If: /));
});
