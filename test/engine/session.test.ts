import { loadAddon } from '../../lib/engine/addon';
import { type NodeDump, openSession, type Session } from '../../lib/engine/session';
import { crc32 } from '../../lib/plan/crc32';
import { GRID, NO_WINDOW, PlanBuilder, ramp, smallNetwork } from './plans';

const opened: Session[] = [];
function open(...given: Parameters<typeof openSession>): Session {
  const session = openSession(...given);
  opened.push(session);
  return session;
}
afterEach(() => {
  for (const session of opened.splice(0)) session.close();
});

/** Code of the error that `work` throws. */
function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

/** Compares bytes: quicker than toEqual, and tells the node. */
function expectEqualDumps(found: readonly NodeDump[], expected: readonly NodeDump[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, { node, op, data }] of found.entries()) {
    const same = Buffer.from(data.buffer as ArrayBuffer).equals(Buffer.from(expected[i].data.buffer as ArrayBuffer));
    expect({ node, op, same }).toEqual({ node: expected[i].node, op: expected[i].op, same: true });
  }
}

const int8 = (...values: number[]) => Int8Array.from(values);

describe('numbers computed by hand', () => {
  test('quantize: half to even, saturation, change of layout', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'float32', [1, 2, 1, 3]);
    const y = b.output('y', 'int8', [1, 1, 3, 2], GRID);
    b.node({ op: 'quantize_s8', outputs: [y], inputs: [x], params: { channelsFirst: true } });
    const feed = Float32Array.of(0.25, 0.75, -0.25, 1e9, Number.NEGATIVE_INFINITY, Number.NaN);
    expect(open(b.write()).run({ x: feed }).y).toEqual(int8(3, 127, 5, -128, 3, -128));
  });

  test('convolution with padding, zero points, clamp and stride', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'int8', [1, 3, 3, 1], { scale: 1, zeroPoint: 1 });
    const y = b.output('y', 'int8', [1, 2, 2, 1], { scale: 1, zeroPoint: 2 });
    const w = b.constant(Int8Array.of(1, 1, 1, 1, 2, 1, 1, 1, 1), [1, 3, 3, 1]);
    const bias = b.constant(Int32Array.of(1));
    const multiplier = b.constant(Float32Array.of(0.5));
    const window = { kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pad: [1, 1] } as const;
    b.node({
      op: 'conv_s8',
      outputs: [y],
      inputs: [x, w, bias, multiplier],
      params: { window, groups: 1, clamp: { qmin: 0, qmax: 12 } },
    });
    // x - 1 = 0..8; corner sums of the 2x2 blocks plus the centre once more: 8, 12, 20, 24; +1, half, to even, +2
    const feed = int8(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(open(b.write()).run({ x: feed }).y).toEqual(int8(6, 10, 12, 12));
  });

  test('average pool: a window at the edge counts its padding or not', () => {
    for (const [countIncludePad, edge] of [
      [true, 3],
      [false, 6],
    ] as const) {
      const b = new PlanBuilder();
      const x = b.input('x', 'int8', [1, 1, 2, 1], { scale: 1, zeroPoint: 1 });
      const y = b.output('y', 'int8', [1, 1, 2, 1], { scale: 1, zeroPoint: 0 });
      const window = { kernel: [1, 2], stride: [1, 1], dilation: [1, 1], pad: [0, 1] } as const;
      b.node({ op: 'average_pool_s8', outputs: [y], inputs: [x], params: { window, countIncludePad } });
      // x less its zero point: 6, 10; the first window is one pad and 6
      expect(open(b.write()).run({ x: int8(7, 11) }).y).toEqual(int8(edge, 8));
    }
  });

  test('fully connected with zero points of weights', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'int8', [2, 2], { scale: 1, zeroPoint: -1 });
    const y = b.output('y', 'int8', [2, 2], { scale: 1, zeroPoint: 0 });
    const w = b.constant(Int8Array.of(1, 2, -3, 4), [2, 2]);
    const rest = [
      b.constant(Int32Array.of(10, -10)),
      b.constant(Float32Array.of(1, 0.5)),
      b.constant(Int8Array.of(1, -1)),
    ];
    b.node({ op: 'fc_s8', outputs: [y], inputs: [x, w, ...rest], params: {} });
    // weights less zero points: [0 1] [-2 5]; x + 1: [2 3] [0 -4]
    expect(open(b.write()).run({ x: int8(1, 2, -1, -5) }).y).toEqual(int8(13, 0, 6, -15));
  });

  test('addition of two grids, repeated operand, table, copy with negative stride, fill', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'int8', [2, 2], { scale: 0.5, zeroPoint: 0 });
    const y = b.output('y', 'int8', [2, 3], { scale: 1, zeroPoint: 0 });
    const shift = b.tensors.push({ ...b.tensors[b.constant(Int8Array.of(2, 4))], scale: 0.25 } as never) - 1;
    const sum = b.arena('int8', [2, 2], { scale: 1, zeroPoint: 0 });
    const negated = b.arena('int8', [2, 2], { scale: 1, zeroPoint: 0 });
    const table = b.constant(Uint8Array.from({ length: 256 }, (_, i) => -i & 255));
    b.node({ op: 'binary_s8', outputs: [sum], inputs: [x, shift], params: { operation: 'add' } })
      .node({ op: 'lut_s8', outputs: [negated], inputs: [sum, table] })
      .node({ op: 'fill', outputs: [y], inputs: [], params: { value: 0xffffff99 } })
      .node({
        op: 'copy_nd',
        outputs: [y],
        inputs: [negated],
        params: { extents: [2, 2], srcOffset: 1, dstOffset: 0, srcStrides: [2, -1], dstStrides: [3, 1] },
      });
    // x/2 + [0.5 1]: 1.5 3 | 0.5 -1, to even: 2 3 | 0 -1
    expect(open(b.write()).run({ x: int8(2, 4, 0, -4) }).y).toEqual(int8(-3, -2, -103, 1, 0, -103));
  });

  test('float kernels: convolution, clamp, pools, softmax', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'float32', [1, 1, 2, 2]);
    const y = b.output('y', 'float32', [1, 2]);
    const conv = b.arena('float32', [1, 1, 2, 2]);
    const pool = b.arena('float32', [1, 1, 1, 2]);
    const w = b.constant(Float32Array.of(1, 2, -1, 0), [2, 1, 1, 2]);
    const bias = b.constant(Float32Array.of(0.5, 0));
    const window = { ...NO_WINDOW, kernel: [1, 2] } as const;
    b.node({ op: 'conv_f32', outputs: [conv], inputs: [x, w, bias], params: { window: NO_WINDOW, groups: 1 } })
      .node({ op: 'clamp_f32', outputs: [conv], inputs: [conv], params: { lo: 0 } })
      .node({ op: 'average_pool_f32', outputs: [pool], inputs: [conv], params: { window } })
      .node({ op: 'softmax_f32', outputs: [y], inputs: [pool] });
    // (1*1+2*2+.5, -1->0), (3+8+.5, -3->0): averages 8.5 and 0
    const result = open(b.write()).run({ x: Float32Array.of(1, 2, 3, 4) }).y as Float32Array;
    expect(result[0] + result[1]).toBeCloseTo(1, 6);
    expect(result[1]).toBeCloseTo(1 / (1 + Math.exp(8.5)), 9);
  });

  test('states carry over, begin at real zero and reset', () => {
    const b = new PlanBuilder();
    const grid = { scale: 1, zeroPoint: 5 };
    const x = b.input('x', 'int8', [2], grid);
    const y = b.output('y', 'int8', [2], grid);
    const [before, after] = [b.state('int8', [2], grid), b.state('int8', [2], grid)];
    b.node({ op: 'binary_s8', outputs: [after], inputs: [x, before], params: { operation: 'add' } }).node({
      op: 'copy_nd',
      outputs: [y],
      inputs: [after],
      params: { extents: [2], srcOffset: 0, dstOffset: 0, srcStrides: [1], dstStrides: [1] },
    });
    b.states.push({ input: before, output: after });
    const session = open(b.write());
    const run = () => [...session.run({ x: int8(6, 3) }).y];
    expect([run(), run(), run()]).toEqual([
      [6, 3],
      [7, 1],
      [8, -1],
    ]);
    session.reset();
    expect(run()).toEqual([6, 3]);
  });
});

describe('the same bytes', () => {
  const bytes = smallNetwork().write();
  const feeds = { image: ramp(3 * 64) };
  const expected = open(bytes, { cpu: 'ref' }).dump(feeds);

  test('at any thread count', () => {
    const big = smallNetwork(64, 32).write();
    const image = ramp(3 * 64 * 64);
    const [one, ...more] = [1, 2, 4].map((threads) => open(big, { threads }).dump({ image }));
    for (const dump of more) expectEqualDumps(dump, one);
    const threaded = open(big, { threads: 4 })
      .profile()
      .nodes.filter(({ threads }) => threads > 1);
    expect(threaded.length).toBeGreaterThan(2);
  });

  test('with every mask of this CPU', () => {
    const words = open(bytes, { cpu: '' }).cpu.split(',');
    for (const cpu of ['ref', ...words, words.join(',')]) expectEqualDumps(open(bytes, { cpu }).dump(feeds), expected);
    expect(new Set(expected.map(({ op }) => op)).size).toBe(8);
  });

  test('when run again, by path, and over bound arrays', () => {
    const session = open(bytes);
    const scores = new Float32Array(10);
    const run = session.bind(feeds, { scores });
    run();
    const first = scores.slice();
    session.run({ image: ramp(3 * 64).reverse() });
    run();
    expect(scores).toEqual(first);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(open(shared).run(feeds).scores).toEqual(first);
    expect(first).toEqual(expected.at(-1)!.data);
    expect(first.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });
});

test('HONE_CPU sets the mask; a wrong word is an error', () => {
  const bytes = smallNetwork().write();
  process.env.HONE_CPU = 'ref';
  try {
    const session = open(bytes);
    expect(session.cpu).toBe('ref');
    expect(session.profile().nodes.every(({ kernel }) => kernel.endsWith('_ref'))).toBe(true);
    process.env.HONE_CPU = 'sse9';
    expect(codeOf(() => open(bytes))).toBe('E_CPU_MASK');
  } finally {
    delete process.env.HONE_CPU;
  }
});

test('the profile counts every k-th run', () => {
  const session = open(smallNetwork().write(), { profile: 3 });
  for (let i = 0; i < 7; i++) session.run({ image: ramp(3 * 64) });
  const { runs, nodes } = session.profile();
  expect(runs).toBe(3);
  expect(nodes.map(({ op }) => op)).toEqual(smallNetwork().nodes.map(({ op }) => op));
  for (const { runs: own, leastNs, meanNs, p50Ns, p90Ns, p99Ns } of nodes) {
    expect(own).toBe(3);
    expect(leastNs).toBeGreaterThan(0);
    expect(meanNs).toBeGreaterThanOrEqual(leastNs);
    // Of three runs the largest is above the mean; each percentile is told within a sixteenth.
    expect(p50Ns).toBeGreaterThanOrEqual(leastNs * (15 / 16));
    expect(p90Ns).toBeGreaterThanOrEqual(p50Ns);
    expect(p90Ns).toBe(p99Ns);
    expect(p99Ns).toBeGreaterThanOrEqual(meanNs * (15 / 16));
  }
  expect(session.memory.arenaBytes).toBeGreaterThan(0);
  expect(session.memory.packedBytes).toBeGreaterThan(0);
});

describe('refusals', () => {
  const bytes = smallNetwork().write();
  const image = ramp(3 * 64);
  const shared = new Float32Array(new SharedArrayBuffer(3 * 64 * 4));
  const Resizable = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
  const resizable = new Float32Array(new Resizable(3 * 64 * 4, { maxByteLength: 1024 }));

  test.each<[string, string, (session: Session) => unknown]>([
    ['an unknown name', 'E_INPUT_NAME', (s) => s.run({ image, picture: image })],
    ['a missing input', 'E_INPUT_LENGTH', (s) => s.run({})],
    ['another type', 'E_INPUT_TYPE', (s) => s.run({ image: new Int8Array(3 * 64) })],
    ['no array', 'E_INPUT_TYPE', (s) => s.run({ image: [1, 2] as never })],
    ['null', 'E_INPUT_TYPE', (s) => s.run({ image: null as never })],
    ['shared memory', 'E_INPUT_TYPE', (s) => s.run({ image: shared })],
    ['memory that may shrink', 'E_INPUT_TYPE', (s) => s.run({ image: resizable })],
    ['another shape', 'E_INPUT_SHAPE', (s) => s.run({ image: { data: image, dims: [1, 8, 8, 3] } })],
    ['another length', 'E_INPUT_LENGTH', (s) => s.run({ image: ramp(3 * 64 - 1) })],
    ['an unknown output', 'E_OUTPUT_NAME', (s) => s.bind({ image }, { out: new Float32Array(10) })],
    ['a missing output', 'E_OUTPUT_LENGTH', (s) => s.bind({ image }, {})],
    ['a short output', 'E_OUTPUT_LENGTH', (s) => s.bind({ image }, { scores: new Float32Array(9) })],
    ['an output of another type', 'E_OUTPUT_TYPE', (s) => s.bind({ image }, { scores: new Int32Array(10) })],
    ['a shared output', 'E_OUTPUT_TYPE', (s) => s.bind({ image }, { scores: shared.subarray(0, 10) })],
    ['an output that may shrink', 'E_OUTPUT_TYPE', (s) => s.bind({ image }, { scores: resizable.subarray(0, 10) })],
  ])('%s', (_, code, work) => {
    const session = open(bytes);
    expect(codeOf(() => work(session))).toBe(code);
    expect(session.run({ image }).scores.length).toBe(10);
  });

  test('an output over an input', () => {
    const block = new ArrayBuffer(3 * 64 * 4);
    const session = open(bytes);
    const overlap = { scores: new Float32Array(block, 8, 10) };
    expect(codeOf(() => session.bind({ image: new Float32Array(block) }, overlap))).toBe('E_OUTPUT_OVERLAP');
  });

  test('arrays whose memory was moved away', () => {
    const moved = ramp(3 * 64);
    const scores = new Float32Array(10);
    const session = open(bytes);
    const [first, second] = [session.bind({ image: moved }, { scores }), session.bind({ image }, { scores })];
    structuredClone(moved.buffer, { transfer: [moved.buffer as ArrayBuffer] });
    expect(codeOf(first)).toBe('E_INPUT_LENGTH');
    second();
    structuredClone(scores.buffer, { transfer: [scores.buffer as ArrayBuffer] });
    expect(codeOf(second)).toBe('E_OUTPUT_LENGTH');
  });

  test('lists whose getters close the session or change what they give', () => {
    const { Session } = loadAddon();
    const native = new Session(bytes, { threads: 1, cpu: '', profileEvery: 0, variant: 0, cache: '' });
    const scores = new Float32Array(10);
    let reads = 0;
    const moody = Object.defineProperty([image], 0, { get: () => (reads++ === 0 ? image : new Float32Array(1)) });
    native.bind(moody, [scores]);
    native.run();
    const closing = Object.defineProperty([image], 0, { get: () => native.close() });
    expect(codeOf(() => native.bind(closing, [scores]))).toBe('E_SESSION_CLOSED');
    expect(codeOf(() => native.run())).toBe('E_SESSION_CLOSED');
    expect(reads).toBe(1);
  });

  test('a plan that needs more memory than any machine has', () => {
    const b = new PlanBuilder();
    const x = b.input('x', 'int8', [1], GRID);
    const y = b.output('y', 'int8', [1], GRID);
    b.node({ op: 'binary_s8', outputs: [y], inputs: [x, x], params: { operation: 'add' } });
    b.state('int8', [2 ** 30, 15], GRID);
    b.arenaBytes = 2 ** 34;
    const plan = b.write();
    // 31 GiB; a machine that has them may open it.
    expect([undefined, 'E_MEMORY']).toContain(codeOf(() => open(plan)));
  });

  test('a closed session', () => {
    const session = open(bytes);
    const run = session.bind({ image }, { scores: new Float32Array(10) });
    session.close();
    session.close();
    for (const work of [
      run,
      () => session.run({ image }),
      () => session.profile(),
      () => session.dump({ image }),
      () => session.reset(),
    ])
      expect(codeOf(work)).toBe('E_SESSION_CLOSED');
  });

  test('options', () => {
    expect(codeOf(() => open(bytes, { thread: 2 } as never))).toBe('E_OPTION_UNKNOWN');
    expect(() => open(bytes, { thread: 2 } as never)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("'threads'") }),
    );
    for (const threads of [0, 65, 1.5, Number.NaN])
      expect(codeOf(() => open(bytes, { threads }))).toBe('E_OPTION_VALUE');
    expect(codeOf(() => open(bytes, { variant: 1 }))).toBe('E_OPTION_VALUE');
    expect(codeOf(() => open('/nowhere/model.plan'))).toBe('E_FILE_NOT_FOUND');
  });

  test('every flipped or cut byte of a plan', () => {
    const plan = new PlanBuilder();
    const x = plan.input('x', 'int8', [2], GRID);
    const y = plan.output('y', 'int8', [2], GRID);
    plan.node({ op: 'binary_s8', outputs: [y], inputs: [x, x], params: { operation: 'multiply' } });
    const whole = plan.write();
    const codes = new Set<string | undefined>();
    for (let i = 0; i < whole.length; i++) {
      const flipped = whole.slice();
      flipped[i] ^= 1 << (i % 8);
      codes.add(codeOf(() => open(flipped)));
      codes.add(codeOf(() => open(whole.slice(0, i))));
    }
    expect([...codes].sort()).toEqual(['E_PLAN_FORMAT', 'E_PLAN_VERSION']);
  });

  test('every byte changed under a right checksum: a plan or a code, never a crash', () => {
    const whole = smallNetwork().write();
    let survivors = 0;
    for (let i = 8; i < whole.length; i += i < 4096 ? 3 : 101) {
      const broken = whole.slice();
      broken[i] ^= 0x80;
      broken.fill(0, 24, 28);
      new DataView(broken.buffer).setUint32(24, crc32(broken), true);
      const code = codeOf(() => {
        const session = openSession(broken);
        try {
          session.run({ image });
          survivors++;
        } finally {
          session.close();
        }
      });
      expect([
        undefined,
        'E_PLAN_FORMAT',
        'E_PLAN_VERSION',
        'E_INPUT_NAME',
        'E_INPUT_SHAPE',
        'E_INPUT_LENGTH',
      ]).toContain(code);
    }
    expect(survivors).toBeGreaterThan(0);
  });
});
