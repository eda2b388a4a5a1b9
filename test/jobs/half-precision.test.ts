import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import { openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';
import { fromDense, toDense } from '../../lib/ops/dense';
import { openReference } from '../../lib/reference/session';

const half = (dims: readonly number[], values: readonly number[]) =>
  fromDense({ type: 'float16', dims, data: Float64Array.from(values) });
/** Numbers that float16 holds, and whose sums it holds too: eighths up to 2. */
const eighths = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => (((i * 7 + seed) % 17) - 8) / 8);

type Draw = (b: GraphBuilder, x: string) => string;

const NETWORKS: readonly (readonly [what: string, dims: readonly number[], draw: Draw])[] = [
  [
    'a layer with constants of float16',
    [2, 4],
    (b, x) =>
      b.node('Add', [
        b.node('MatMul', [x, b.initializer(half([4, 3], eighths(12, 1)), 'w')]),
        b.initializer(half([3], eighths(3, 5)), 'c'),
      ]),
  ],
  [
    'a convolution between float16 images',
    [1, 2, 5, 5],
    (b, x) =>
      b.node('Relu', [
        b.node('Conv', [x, b.initializer(half([3, 2, 3, 3], eighths(54, 2)), 'w')], { pads: [1, 1, 1, 1] }),
      ]),
  ],
  [
    'casts to float32 and back',
    [3, 4],
    (b, x) => b.node('Cast', [b.node('Abs', [b.node('Cast', [x], { to: 1 })])], { to: 10 }),
  ],
];

test.each(NETWORKS)(
  '%s: compiled from the file it takes and gives float32, and computes what the file does',
  async (_, dims, draw) => {
    const folder = mkdtempSync(join(tmpdir(), 'hone-half-'));
    try {
      const b = new GraphBuilder();
      const x = b.input('x', 'float16', dims);
      b.output(b.node('Identity', [draw(b, x)], {}, { outputs: ['y'] }), 'float16');
      const graph = b.build();
      const path = join(folder, 'half.onnx');
      writeFileSync(path, writeModel(graph));
      const { plan } = await makePlan(await openArtifact(path));
      using session = openSession(plan);
      expect([...session.inputs, ...session.outputs].map(({ type }) => type)).toEqual(['float32', 'float32']);
      const values = eighths(
        dims.reduce((a, c) => a * c, 1),
        3,
      );
      const reference = await openReference(graph, { optimization: 'disabled' });
      const expected = await reference.run(new Map([['x', half(dims, values)]]));
      await reference.close();
      // Small eighths: sums are exact in float16 and float32.
      expect([...session.run({ x: Float32Array.from(values) }).y]).toEqual(
        Array.from(toDense(expected.get('y')!, 'float64').data, Number),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
