import { compile, diagnose } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { prepare } from '../../lib/passes/pipeline';
import { openReference } from '../../lib/reference/session';
import { casePath, describeWithCases } from '../data';

const floats = (...dims: number[]): Tensor =>
  tensorFrom(
    'float32',
    dims,
    Array.from({ length: elementCount(dims) }, (_, k) => k / 2 - 1),
  );
const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

function graphOf(build: (b: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder();
  builder.output(build(builder, builder.input('x', 'float32', [1, 6, 2])), 'float32', undefined);
  return builder.build();
}
const cut = (b: GraphBuilder, x: string, from: number, to: number) =>
  b.node('Slice', [x, ...[from, to, 1].map((value, k) => b.initializer(ints(value), `s${k}`))]);

/** Runs a prepared graph on the engine, and the graph as it is in onnxruntime. */
async function expectEqual(graph: Graph): Promise<void> {
  const x = floats(1, 6, 2);
  await using reference = await openReference(graph, { optimization: 'disabled' });
  const [expected] = [...(await reference.run(new Map([['x', x]]))).values()];
  const session = openSession(compile(prepareForEngine(graph), { sourceHash: '0'.repeat(64) }).plan);
  try {
    const [found] = Object.values(session.run(new Map([['x', { data: viewAs(x, 'float32'), dims: x.dims }]])));
    expect(Array.from(found as Float32Array)).toEqual(toNumbers(expected));
  } finally {
    session.close();
  }
}

describe('parts without elements add nothing', () => {
  test.each<[string, (b: GraphBuilder, x: string) => string]>([
    ['a constant', (b, x) => b.node('Concat', [b.node('Relu', [x]), b.initializer(floats(1, 0, 2), 'e')], { axis: 1 })],
    [
      'two constants and two values',
      (b, x) => {
        const [e, f] = [b.initializer(floats(1, 0, 2), 'e'), b.initializer(floats(1, 0, 2), 'f')];
        return b.node('Concat', [e, x, f, b.node('Relu', [x])], { axis: -2 });
      },
    ],
    ['an empty cut', (b, x) => b.node('Concat', [cut(b, x, 3, 3), b.node('Relu', [x])], { axis: 1 })],
    [
      'nothing looked up',
      (b, x) => {
        const none = b.node('Gather', [x, b.initializer(ints(), 'none')], { axis: 1 });
        return b.node('Concat', [none, b.node('Relu', [x])], { axis: 1 });
      },
    ],
    [
      'a sum of nothing',
      (b, x) => {
        const sum = b.node('ReduceSum', [cut(b, x, 6, 6), b.initializer(ints(1), 'axes')], { keepdims: 1 });
        return b.node('Add', [b.node('Relu', [x]), sum]);
      },
    ],
  ])('%s', async (_, build) => {
    await expectEqual(graphOf(build));
  });
});

test.each<[string, (b: GraphBuilder, x: string) => string, RegExp]>([
  ['an empty output', (b, x) => cut(b, x, 2, 2), /is empty \(\[1,0,2\]\)/],
  [
    'nothing but empty parts',
    (b, x) => b.node('Concat', [cut(b, x, 2, 2), b.initializer(floats(1, 0, 2), 'e')], { axis: 1 }),
    /is empty/,
  ],
])('refuses %s by name', (_, build, message) => {
  const found = diagnose(prepareForEngine(graphOf(build)));
  expect(found.length).toBeGreaterThan(0);
  for (const { severity } of found) expect(severity).toBe('error');
  expect(found.map((diagnostic) => diagnostic.message).join('\n')).toMatch(message);
});

/** Values of empties that are folded must be those of the runtime. */
test.each<[string, readonly Tensor[], object]>([
  ['MatMul', [floats(2, 0), floats(0, 3)], {}],
  ['Gemm', [floats(2, 0), floats(0, 3), floats(3)], {}],
  ['ReduceSum', [floats(2, 0), ints(1)], {}],
  ['ReduceMax', [floats(2, 0), ints(1)], {}],
  ['ReduceProd', [floats(2, 0), ints(1)], {}],
  ['ReduceMean', [floats(2, 0), ints(1)], {}],
  ['Concat', [floats(2, 0), floats(2, 3)], { axis: 1 }],
  ['Pad', [floats(2, 0), ints(0, 1, 0, 1)], {}],
  ['Softmax', [floats(2, 0)], {}],
])('%s of empty constants', async (op, tensors, attributes) => {
  const builder = new GraphBuilder();
  const value = builder.node(
    op,
    tensors.map((tensor, index) => builder.initializer(tensor, `c${index}`)),
    attributes as Record<string, number>,
  );
  builder.output(builder.node('Add', [value, builder.input('d', 'float32', [1])]), 'float32', undefined);
  const graph = builder.build();
  const feeds = new Map([['d', tensorFrom('float32', [1], [0])]]);
  await using plain = await openReference(graph, { optimization: 'disabled' });
  await using folded = await openReference(prepare(graph).graph, { optimization: 'disabled' });
  const [expected, found] = [await plain.run(feeds), await folded.run(feeds)].map(
    (outputs) => [...outputs.values()][0],
  );
  expect([found.dims, toNumbers(found)]).toEqual([expected.dims, toNumbers(expected)]);
});

test('weights that ConstantOfShape makes are folded, however large; what is no weight is not', () => {
  const builder = new GraphBuilder();
  const fill = { value: { kind: 'tensor', value: tensorFrom('float32', [1], [0.25]) } } as const;
  const shape = builder.initializer(ints(1024, 1024), 'shape');
  const x = builder.input('x', 'float32', [1, 1024]);
  const product = builder.node('MatMul', [x, builder.node('ConstantOfShape', [shape], fill)]);
  builder.output(builder.node('Add', [product, builder.node('ConstantOfShape', [shape], fill)]), 'float32', undefined);
  const { graph } = prepare(builder.build());
  expect(graph.nodes.map(({ op }) => op).sort()).toEqual(['Add', 'ConstantOfShape', 'MatMul']);
  expect([...graph.initializers.values()].some(({ dims }) => elementCount(dims) === 2 ** 20)).toBe(true);
});

describeWithCases('concat_empty', () => {
  test('compiles', async () => {
    const { graph } = requireModel(await openArtifact(casePath('concat_empty.onnx')), 'test');
    expect(diagnose(prepareForEngine(graph))).toEqual([]);
  });
});
