import { compile, diagnose } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { openSession } from '../../lib/engine/session';
import type { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { detectorOfTorchvision, detectorOfUltralytics, plainDetector } from './detectors';
import { feedOf, HASH, runReference } from './run-case';
import { type Sketch, sketch } from './small-graphs';

const FLOAT = 1;

/** [12, 5] small whole numbers, of which so large a share is 0. */
function sparse(seed: number, share: number): Map<string, Tensor> {
  const rng = new Rng(seed);
  const data = Array.from({ length: 60 }, () => (rng.uniform() < share ? 0 : rng.integer(-3, 3)));
  return new Map([['x', tensorFrom('float32', [12, 5], data)]]);
}

/** Values of which a run decides an extent, over an input x [12, 5]. */
class Parts {
  readonly b: GraphBuilder;
  readonly s: Sketch;
  /** [2, n] */
  readonly places: string;
  /** [n, 2] */
  readonly tuples: string;
  /** [n] */
  readonly elements: string;
  /** [m, 5] */
  readonly rows: string;

  constructor(b: GraphBuilder, s: Sketch) {
    this.b = b;
    this.s = s;
    const x = b.input('x', 'float32', [12, 5]);
    this.places = b.node('NonZero', [x]);
    this.tuples = b.node('Transpose', [this.places]);
    this.elements = b.node('GatherND', [x, this.tuples]);
    this.rows = b.node('Compress', [x, b.node('Greater', [this.column(x, 0), s.scalar(0)])], { axis: 0 });
  }

  column(value: string, index: number): string {
    return this.b.node('Gather', [value, this.b.initializer(tensorFrom('int64', [], [index]))], { axis: 1 });
  }

  /** [n, 1] of a column. */
  slice(value: string, from: number, to: number, axis: number): string {
    const { s, b } = this;
    return b.node('Slice', [value, s.ints(from), s.ints(to), s.ints(axis)]);
  }
}

type Draw = (parts: Parts) => string | readonly string[];

/** What reads such values on the engine. */
const READERS: Readonly<Record<string, Draw>> = {
  'NonZero as it is': ({ places }) => places,
  'Compress as it is': ({ rows }) => rows,
  'several outputs': ({ places, tuples, elements, rows, b }) => [
    places,
    tuples,
    elements,
    rows,
    b.node('Cast', [places], { to: FLOAT }),
  ],
  'Slice along the other axis, Concat': (p) =>
    p.b.node('Concat', [p.slice(p.rows, 0, 2, 1), p.slice(p.rows, 3, 5, 1)], { axis: 1 }),
  'the first few': (p) => [p.slice(p.rows, 0, 3, 0), p.slice(p.rows, 0, 100, 0), p.slice(p.tuples, 2, 9, 0)],
  'a Gather of it by places in it': ({ b, s, rows, column }) => {
    const found = b.node('NonZero', [column.call({ b } as never, rows, 1)]);
    return b.node('Gather', [rows, b.node('Squeeze', [found, s.ints(0)])]);
  },
  'element by element': ({ b, s, rows }) =>
    b.node('Add', [b.node('Mul', [b.node('Exp', [rows]), s.floats(1, 2, 3, 4, 5)]), rows]),
  'Squeeze, Unsqueeze, Reshape': ({ b, s, elements, rows }) => [
    b.node('Unsqueeze', [elements, s.ints(1)]),
    b.node('Reshape', [elements, s.ints(-1, 1)]),
    b.node('Reshape', [rows, s.ints(1, -1, 5)]),
    b.node('Squeeze', [b.node('Unsqueeze', [elements, s.ints(0, 2)]), s.ints(0)]),
  ],
  'its length': ({ b, rows, elements, s }) => [
    b.node('Shape', [rows]),
    b.node('Mul', [b.node('Shape', [elements]), s.ints(3)]),
    b.node('Gather', [b.node('Shape', [elements]), s.ints(0)]),
    b.node('Size', [rows]),
  ],
  'sums and extremes along it': ({ b, s, rows, elements }) => [
    b.node('ReduceSum', [rows, s.ints(0)]),
    b.node('ReduceMax', [b.node('Concat', [elements, s.floats(-1)], { axis: 0 })]),
    b.node('ReduceMin', [b.node('Concat', [s.floats(1), elements], { axis: 0 })], { keepdims: 0 }),
    b.node('ReduceL2', [rows, s.ints(0)], { keepdims: 0 }),
    b.node('ArgMax', [b.node('Concat', [elements, s.floats(-9)], { axis: 0 })]),
  ],
  'sums and softmax along the other axis': ({ b, s, rows }) => [
    b.node('ReduceMean', [rows, s.ints(1)]),
    b.node('Softmax', [rows], { axis: 1 }),
    b.node('MatMul', [rows, b.initializer(tensorFrom('float32', [5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))]),
  ],
  'Concat along it': ({ b, s, rows, elements }) => [
    b.node('Concat', [rows, 'x', rows], { axis: 0 }),
    b.node('Concat', [s.floats(7, 8), elements, s.floats(9)], { axis: 0 }),
  ],
  'NonZero and Compress of it': ({ b, s, rows, elements }) => [
    b.node('NonZero', [rows]),
    b.node('Compress', [elements, b.node('Greater', [elements, s.scalar(1)])]),
  ],
  'Pad to what it can be at most': ({ b, s, elements }) => {
    const missing = b.node('Sub', [s.ints(60), b.node('Shape', [elements])]);
    return b.node('Pad', [elements, b.node('Concat', [s.ints(0), missing], { axis: 0 }), s.scalar(5)]);
  },
};

/** Every output, and its shape, as onnxruntime gives it. */
async function expectAsReference(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<void> {
  const { plan } = compile(prepare(graph, { verify: true, pads: 'fold' }).graph, { sourceHash: HASH });
  const expected = await runReference(graph, feeds);
  const given = Object.fromEntries([...feeds].map(([name, tensor]) => [name, feedOf(tensor)]));
  const session = openSession(plan, { threads: 2 });
  try {
    for (const found of [session.run(given), await session.runAsync(given)])
      for (const name of graph.outputs) {
        const { dims } = expected.get(name)!;
        expect({ name, dims: session.dimsOf(name) }).toEqual({ name, dims });
        const numbers = toNumbers(expected.get(name)!);
        expect(found[name]).toHaveLength(numbers.length);
        const wrong = numbers.filter(
          (value, i) => !(Math.abs(value - Number(found[name][i])) <= 1e-5 * (1 + Math.abs(value))),
        );
        expect({ name, wrong }).toEqual({ name, wrong: [] });
      }
  } finally {
    session.close();
  }
}

const draw = (what: Draw) => sketch((b, s) => [what(new Parts(b, s))].flat());

test.each(Object.entries(READERS))('%s', async (_, what) => {
  // Much of it, little, nothing, all.
  for (const [seed, share] of [
    [1, 0.4],
    [2, 0.9],
    [3, 1],
    [4, 0],
  ])
    await expectAsReference(draw(what), sparse(seed, share));
});

/** What no kernel does with values that may not be there, by operator. */
const REFUSED: readonly (readonly [op: string, what: Draw])[] = Object.entries<Draw>({
  Softmax: ({ b, elements }) => b.node('Softmax', [elements], { axis: 0 }),
  ReduceMean: ({ b, s, rows }) => b.node('ReduceMean', [rows, s.ints(0)]),
  CumSum: ({ b, s, elements }) => b.node('CumSum', [elements, s.ints(0)], { reverse: 1 }),
  Reshape: ({ b, s, rows }) => b.node('Reshape', [rows, s.ints(-1)]),
  Gather: ({ b, s, rows }) => b.node('Gather', [rows, s.ints(-1)]),
  Slice: ({ slice, rows, ...rest }) => slice.call({ ...rest, slice, rows } as never, rows, -2, 100, 0),
  MatMul: ({ b, places, rows }) => b.node('MatMul', [b.node('Transpose', [rows]), rows, places].slice(0, 2)),
  GRU: ({ b, s, rows }) =>
    b.node('GRU', [b.node('Unsqueeze', [rows, s.ints(1)]), s.weights([1, 9, 5]), s.weights([1, 9, 3])], {
      hidden_size: 3,
    }),
}).concat([['Slice', ({ slice, rows, ...rest }) => slice.call({ ...rest, slice, rows } as never, rows, 0, -1, 0)]]);

test.each(REFUSED)('%s is refused by name', (op, what) => {
  const [{ message, where }] = diagnose(prepare(draw(what)).graph);
  expect(where).not.toBe('');
  expect(message).toMatch(
    new RegExp(`^${op}: it reads '.*', of whose axis \\d only a run decides the extent \\(at most \\d+\\)`),
  );
});

test('an output of which a run decides two extents is refused', () => {
  const graph = draw(({ b, s, rows, elements }) =>
    b.node('Mul', [
      b.node('Unsqueeze', [elements, s.ints(1)]),
      b.node('Gather', [b.node('Transpose', [rows]), s.ints(0)]),
    ]),
  );
  expect(diagnose(prepare(graph).graph)).toEqual([
    expect.objectContaining({ message: expect.stringMatching(/^graph output: only a run decides its extents \[/) }),
  ]);
});

test('what a file declares for such an extent is that of one run', async () => {
  const graph = sketch((b, s) => {
    const { rows } = new Parts(b, s);
    b.declare(rows, 'float32', [3, 5]);
    return [rows];
  });
  await expectAsReference(graph, sparse(7, 0.2));
});

test('bound memory takes the most there can be, and begins with what is there', () => {
  const { plan } = compile(prepare(draw(({ places }) => places)).graph, { sourceHash: HASH });
  using session = openSession(plan);
  const [output] = session.outputs;
  expect(output).toMatchObject({ dims: [2, 60], length: 120, counted: 1 });
  const y = new BigInt64Array(120);
  const x = new Float32Array(60);
  const run = session.bind({ x }, { [output.name]: y });
  x[7] = x[11] = x[58] = 1;
  run();
  expect(session.dimsOf(output.name)).toEqual([2, 3]);
  expect(Array.from(y.subarray(0, 6), Number)).toEqual([1, 2, 11, 2, 1, 3]);
  x.fill(0);
  run();
  expect(session.dimsOf(output.name)).toEqual([2, 0]);
  expect(() => session.dimsOf('z')).toThrow(expect.objectContaining({ code: 'E_OUTPUT_NAME' }));
});

test.each([
  ['a NonMaxSuppression and what it points at', plainDetector],
  ["torchvision's SSD", detectorOfTorchvision],
  ["ultralytics' nms=True", detectorOfUltralytics],
] as const)('%s as its exporter writes it', async (_, make) => {
  for (const seed of [1, 2]) {
    const { graph, feeds } = make(seed);
    await expectAsReference(graph, feeds);
  }
});
