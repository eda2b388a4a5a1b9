import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanArray } from '../../lib/engine/addon';
import { openSession, type Session } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';
import { fromDense, toDense } from '../../lib/ops/dense';
import { openReference } from '../../lib/reference/session';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-half-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const HALF = 10;
const half = (dims: readonly number[], values: readonly number[]) =>
  fromDense({ type: 'float16', dims, data: Float64Array.from(values) });
const numbersOf = (tensor: Tensor) => Array.from(toDense(tensor, 'float64').data, Number);
const bitsOf = (tensor: Tensor) => viewAs({ ...tensor, type: 'uint16' }, 'uint16');
/** Numbers that float16 holds, and whose sums it holds too: eighths up to 2. */
const eighths = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => (((i * 7 + seed) % 17) - 8) / 8);

async function planOf(graph: Graph): Promise<Uint8Array> {
  const path = join(folder, 'half.onnx');
  writeFileSync(path, writeModel(graph));
  return (await makePlan(await openArtifact(path))).plan;
}
const typesOf = ({ inputs, outputs }: Pick<Session, 'inputs' | 'outputs'>) =>
  [inputs, outputs].map((ports) => Object.fromEntries(ports.map(({ name, type }) => [name, type])));

type Draw = (b: GraphBuilder, x: string) => readonly (readonly [value: string, type: ElementType])[];
const named = (b: GraphBuilder, value: string, name: string) => b.node('Identity', [value], {}, { outputs: [name] });

const NETWORKS: readonly (readonly [what: string, dims: readonly number[], draw: Draw])[] = [
  [
    'a layer with constants of float16',
    [2, 4],
    (b, x) => [
      [
        b.node('Add', [
          b.node('MatMul', [x, b.initializer(half([4, 3], eighths(12, 1)), 'w')]),
          b.initializer(half([3], eighths(3, 5)), 'c'),
        ]),
        'float16',
      ],
    ],
  ],
  [
    'a convolution between float16 images',
    [1, 2, 5, 5],
    (b, x) => [
      [
        b.node('Relu', [
          b.node('Conv', [x, b.initializer(half([3, 2, 3, 3], eighths(54, 2)), 'w')], { pads: [1, 1, 1, 1] }),
        ]),
        'float16',
      ],
    ],
  ],
  [
    'casts to float32 and back',
    [3, 4],
    (b, x) => [[b.node('Cast', [b.node('Abs', [b.node('Cast', [x], { to: 1 })])], { to: HALF }), 'float16']],
  ],
  [
    'several outputs, also of other types, one of which another reads',
    [3, 4],
    (b, x) => {
      const h = b.node('Neg', [x]);
      return [
        [named(b, h, 'first'), 'float16'],
        [b.node('Cast', [b.node('Abs', [h])], { to: 1 }), 'float32'],
        [b.node('ArgMax', [h], { axis: 1 }), 'int64'],
        [b.node('Greater', [h, b.initializer(half([], [0]), 'zero')]), 'bool'],
        [b.node('Relu', [h]), 'float16'],
      ];
    },
  ],
  [
    'an output that is the input, and one that is a constant',
    [2, 3],
    (b, x) => [
      [named(b, x, 'same'), 'float16'],
      [named(b, b.initializer(half([2], [0.1, -65504]), 'c'), 'constant'), 'float16'],
    ],
  ],
  [
    'only moves: joined, cut, turned',
    [2, 6],
    (b, x) => {
      const [left, right] = b.nodes('Split', [x], 2, { axis: 1, num_outputs: 2 });
      return [
        [b.node('Concat', [right, left, right], { axis: 1 }), 'float16'],
        [b.node('Transpose', [left], { perm: [1, 0] }), 'float16'],
      ];
    },
  ],
  [
    'as many elements as the run decides',
    [8],
    (b, x) => {
      const positive = b.node('Greater', [x, b.initializer(half([], [0]), 'zero')]);
      return [[b.node('Compress', [x, positive], { axis: 0 }), 'float16']];
    },
  ],
];

test.each(NETWORKS)('%s: a plan takes and gives what the file does', async (_, dims, draw) => {
  const b = new GraphBuilder();
  const outputs = draw(b, b.input('x', 'float16', dims));
  for (const [value, type] of outputs) b.output(value, type);
  const graph = b.build();
  using session = openSession(await planOf(graph));
  expect(typesOf(session)).toEqual([{ x: 'float16' }, Object.fromEntries(outputs)]);
  const x = half(dims, eighths(elementCount(dims), 3));
  await using reference = await openReference(graph, { optimization: 'disabled' });
  const expected = await reference.run(new Map([['x', x]]));
  const found = session.run({ x: bitsOf(x) });
  // Small eighths: sums are exact in float16 and float32.
  for (const { name, type } of session.outputs) {
    const tensor = { type, dims: session.dimsOf(name), bytes: new Uint8Array(found[name].buffer as ArrayBuffer) };
    expect([name, tensor.dims, numbersOf(tensor)]).toEqual([
      name,
      expected.get(name)!.dims,
      numbersOf(expected.get(name)!),
    ]);
  }
});

describe('at the border numbers round as those of onnxruntime', () => {
  const cast = (from: ElementType, to: ElementType, count: number): Graph => {
    const b = new GraphBuilder();
    const code = to === 'float16' ? HALF : 1;
    b.output(b.node('Cast', [b.input('x', from, [count])], { to: code }, { outputs: ['y'] }), to);
    return b.build();
  };
  /** Numbers at, and one float32 step beside, what is hard: steps, ties, the least and the largest, in both signs. */
  const hard = [
    ...[0, 2 ** -25, 2 ** -24, 1.5 * 2 ** -24, 2.5 * 2 ** -24, 2 ** -14 - 2 ** -25, 2 ** -14, 2 ** -149],
    ...[1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2049, 2051, 65504, 65519.996, 65520, 65536, 1e9, 3e38],
  ].flatMap((value) => {
    const word = new Uint32Array(Float32Array.of(value).buffer)[0];
    const near = new Float32Array(Uint32Array.of(Math.max(word, 1) - 1, word, word + 1).buffer);
    return [...near, ...near.map((number) => -number)];
  });
  const random = new Float32Array(new Uint32Array(4096).map((_, i) => Math.imul(i + 1, 0x9e3779b1)).buffer);
  const floats = Float32Array.of(...hard, Infinity, -Infinity, NaN, ...random);
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

  test.each<readonly [from: ElementType, to: ElementType, x: PlanArray]>([
    ['float32', 'float16', floats],
    ['float16', 'float32', halves],
    ['float16', 'float16', halves],
  ])('%s to %s', async (from, to, data) => {
    const graph = cast(from, to, data.length);
    const x = { type: from, dims: [data.length], bytes: new Uint8Array(data.buffer as ArrayBuffer) };
    await using reference = await openReference(graph, { optimization: 'disabled' });
    const expected = (await reference.run(new Map([['x', x]]))).get('y')!;
    using session = openSession(await planOf(graph));
    expect(typesOf(session)).toEqual([{ x: from }, { y: to }]);
    const { y } = session.run({ x: data });
    // Of NaN what counts is that it is one; of zeros their sign counts too.
    const found = numbersOf({ type: to, dims: [data.length], bytes: new Uint8Array(y.buffer as ArrayBuffer) });
    expect(found.filter((value) => Number.isNaN(value)).length).toBeGreaterThan(0);
    const wanted = numbersOf(expected);
    expect(found.flatMap((value, i) => (Object.is(value, wanted[i]) ? [] : [[data[i], value, wanted[i]]]))).toEqual([]);
  });
});
