import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { describePlan } from '../../lib/plan/describe';
import { compiled } from './run-case';
import { type Sketch, sketch } from './small-graphs';

/** Small networks whose plans are kept as text: what is fused, which copies there are, where everything lies. */
const GRAPHS: Readonly<Record<string, (b: GraphBuilder, s: Sketch) => readonly string[]>> = {
  'float-network': (b) => {
    const x = b.input('x', 'float32', [1, 2, 6, 6]);
    const w = (dims: readonly number[]) =>
      b.initializer(tensorFrom('float32', dims, new Array(dims.reduce((p, d) => p * d, 1)).fill(0.5)), 'w');
    const conv = b.node('Conv', [x, w([4, 2, 3, 3])], { pads: [1, 1, 1, 1] });
    const pooled = b.node('Relu', [b.node('MaxPool', [conv], { kernel_shape: [2, 2], strides: [2, 2] })]);
    const logits = b.node('Gemm', [b.node('Flatten', [pooled]), w([36, 3])]);
    return [b.node('Softmax', [logits], { axis: 1 }, { outputs: ['y'] })];
  },
  'integer-network': (b, s) => {
    const x = s.pair(b.input('x', 'float32', [1, 2, 6, 6]));
    const stem = s.pair(b.node('Relu', [s.conv(x, 2, 4)]));
    const branch = s.pair(s.conv(stem, 4, 4), 2 ** -3, 128);
    const sum = s.pair(b.node('Relu', [b.node('Add', [branch, stem])]));
    const mean = s.pair(b.node('GlobalAveragePool', [sum]));
    const logits = b.node('Gemm', [b.node('Flatten', [mean]), s.weights([3, 4])], { transB: 1 });
    return [s.pair(logits)];
  },
  'bytes-in-and-out': (b, s) => {
    const x = b.node('DequantizeLinear', [b.input('x', 'uint8', [1, 2, 4, 4]), s.scalar(0.5), s.scalar(7, 'uint8')]);
    return [s.quantize(b.node('Concat', [s.pair(s.conv(x, 2, 2), 0.25, 3), x], { axis: 1 }), 0.25, 3)];
  },
};

test.each(Object.keys(GRAPHS))('plan of %s', (name) => {
  const text = `${describePlan(compiled(inferShapes(sketch(GRAPHS[name])).graph).description)}\n`;
  const path = join(__dirname, 'golden', `${name}.txt`);
  if (process.env.UPDATE === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  if (!existsSync(path)) throw new Error(`${path} is missing: run with UPDATE=1 and read what it writes`);
  expect(text).toBe(readFileSync(path, 'utf8'));
});
