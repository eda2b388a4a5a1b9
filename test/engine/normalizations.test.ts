import { Rng } from '../../lib/core/rng';
import { openSession } from '../../lib/engine/session';
import { PlanBuilder } from './plans';

interface Spec {
  readonly dims: readonly [outer: number, length: number, channels: number];
  readonly groups: number;
  readonly centered?: boolean;
  readonly epsilon?: number;
  readonly factors?: readonly [scale: boolean, bias: boolean];
}

function run({ dims, groups, centered = true, epsilon = 1e-5, factors = [true, true] }: Spec, x: Float32Array) {
  const b = new PlanBuilder();
  const [input, output] = [b.input('x', 'float32', dims), b.output('y', 'float32', dims)];
  const [scale, bias] = [0, 1].map((at) =>
    Float32Array.from({ length: dims[2] }, (_, c) => 1 + at + ((c * 7) % 5) / 8),
  );
  const inputs = [input, ...[scale, bias].map((data, at) => (factors[at] ? b.constant(data) : null))];
  b.node({ op: 'normalize_f32', outputs: [output], inputs, params: { groups, centered, epsilon } });
  const session = openSession(b.write());
  try {
    return { y: session.run({ x }).y as Float32Array, scale, bias };
  } finally {
    session.close();
  }
}

/** The formula in float64. */
function expected(spec: Spec, x: Float32Array, scale: Float32Array, bias: Float32Array): number[] {
  const { dims, groups, centered = true, epsilon = 1e-5, factors = [true, true] } = spec;
  const [outer, length, channels] = dims;
  const width = channels / groups;
  const y = new Array<number>(x.length);
  for (let o = 0; o < outer; o++)
    for (let g = 0; g < groups; g++) {
      const at: number[] = [];
      for (let i = 0; i < length; i++)
        for (let w = 0; w < width; w++) at.push((o * length + i) * channels + g * width + w);
      const mean = centered ? at.reduce((sum, p) => sum + x[p], 0) / at.length : 0;
      const square = at.reduce((sum, p) => sum + (x[p] - mean) ** 2, 0) / at.length;
      for (const p of at) {
        const c = p % channels;
        const value = ((x[p] - mean) / Math.sqrt(square + epsilon)) * (factors[0] ? scale[c] : 1);
        y[p] = value + (factors[1] ? bias[c] : 0);
      }
    }
  return y;
}

test.each<Spec>([
  { dims: [3, 1, 1], groups: 1 },
  { dims: [3, 1, 7], groups: 1 },
  { dims: [2, 1, 16], groups: 1, factors: [true, false] },
  { dims: [2, 1, 33], groups: 1, centered: false, factors: [true, false] },
  { dims: [1, 1, 2047], groups: 1, factors: [false, true] },
  { dims: [1, 1, 5000], groups: 1, factors: [false, false] },
  { dims: [2, 9, 1], groups: 1 },
  { dims: [2, 9, 3], groups: 3 },
  { dims: [2, 300, 17], groups: 17, epsilon: 0.1 },
  { dims: [1, 129, 40], groups: 40, centered: false },
  { dims: [2, 5, 6], groups: 2 },
  { dims: [2, 130, 40], groups: 5 },
  { dims: [1, 3, 66], groups: 2, factors: [false, false] },
  { dims: [1, 100_000, 3], groups: 3 },
  { dims: [1, 1, 100_000], groups: 1 },
])('%j', (spec) => {
  const random = new Rng(spec.dims[2]);
  const [outer, length, channels] = spec.dims;
  // Around 3: a mean that is not small.
  const x = Float32Array.from({ length: outer * length * channels }, () => 3 + random.normal());
  const { y, scale, bias } = run(spec, x);
  const exact = expected(spec, x, scale, bias);
  expect(exact.filter((value, i) => !(Math.abs(y[i] - value) <= 2e-5 * (1 + Math.abs(value))))).toEqual([]);
});

test('equal elements give the bias, without an epsilon no number', () => {
  const x = new Float32Array(12).fill(7);
  const { y, bias } = run({ dims: [2, 1, 6], groups: 1 }, x);
  expect(y).toEqual(Float32Array.of(...bias, ...bias));
  expect(run({ dims: [2, 1, 6], groups: 1, epsilon: 0 }, x).y).toEqual(new Float32Array(12).fill(NaN));
});

test('a NaN makes its group NaN, and no other', () => {
  const x = Float32Array.of(1, NaN, 3, 1, 2, 3);
  const { y } = run({ dims: [2, 1, 3], groups: 1 }, x);
  expect([...y.subarray(0, 3)]).toEqual([NaN, NaN, NaN]);
  expect([...y.subarray(3)].every(Number.isFinite)).toBe(true);
});
