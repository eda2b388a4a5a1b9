import { openSession } from '../../lib/engine/session';
import { GRID, PlanBuilder } from './plans';

/** Threads, of two, that the one node of a plan is divided among. */
function threadsOf(b: PlanBuilder): number {
  const session = openSession(b.write(), { threads: 2, profile: true });
  try {
    const [{ name, type, dims }] = session.inputs;
    const length = dims.reduce((product, dim) => product * dim, 1);
    session.run({ [name]: type === 'float32' ? new Float32Array(length) : new Int8Array(length) });
    return session.profile().nodes[0].threads;
  } finally {
    session.close();
  }
}

/** A copy of `count` bytes, every `step`th of x into every `step`th of y. */
function copyOf(count: number, source: number, target: number): PlanBuilder {
  const b = new PlanBuilder();
  const [x, y] = [b.input('x', 'int8', [count * source], GRID), b.output('y', 'int8', [count * target], GRID)];
  const params = { extents: [count], srcOffset: 0, dstOffset: 0, srcStrides: [source], dstStrides: [target] };
  return b.node({ op: 'copy_nd', outputs: [y], inputs: [x], params });
}

test('a copy of runs is short work, one of single elements is not', () => {
  expect(threadsOf(copyOf(65536, 1, 1))).toBe(1);
  expect(threadsOf(copyOf(65536, 2, 1))).toBe(2);
  expect(threadsOf(copyOf(65536, 1, 2))).toBe(2);
});

test('a border without change of layout is cut into rows of some hundred elements', () => {
  for (const dims of [
    [64, 256],
    [64, 16, 16],
    [64, 255, 2],
  ]) {
    const b = new PlanBuilder();
    const [x, y] = [b.input('x', 'float32', dims), b.output('y', 'int8', dims, GRID)];
    b.node({ op: 'quantize_s8', outputs: [y], inputs: [x], params: { channelsFirst: false } });
    expect([dims, threadsOf(b)]).toEqual([dims, 2]);
  }
});
