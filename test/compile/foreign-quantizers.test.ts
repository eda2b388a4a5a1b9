import { readFileSync } from 'node:fs';
import { Rng } from '../../lib/core/rng';
import { readNpz } from '../../lib/data/npz';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, toNumbers } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { bindShapes } from '../../lib/passes/infer-shapes';
import { casePath, describeWithCases } from '../data';
import { compiled, runEngine, runReference } from './run-case';
import { sketch } from './small-graphs';

type Byte = 'uint8' | 'int8';

/** How one scale and zero point are written: as a scalar, a vector of one element, or not at all. */
const SCALES = ['scalar', 'vector'] as const;
const ZEROS = ['scalar', 'vector', 'absent'] as const;
interface Form {
  readonly scale: (typeof SCALES)[number];
  readonly zero: (typeof ZEROS)[number];
}
const FORMS: readonly Form[] = SCALES.flatMap((scale) => ZEROS.map((zero) => ({ scale, zero })));
const PLAIN: Form = { scale: 'scalar', zero: 'scalar' };

const dimsOf = (form: 'scalar' | 'vector'): number[] => (form === 'scalar' ? [] : [1]);

/** Names of scale and zero point in a form; an absent zero point is left out. */
function grid(b: GraphBuilder, form: Form, scale: number, zero: number, type: Byte | 'int32'): string[] {
  const names = [b.initializer(tensorFrom('float32', dimsOf(form.scale), [scale]), 'scale')];
  if (form.zero !== 'absent') names.push(b.initializer(tensorFrom(type, dimsOf(form.zero), [zero]), 'zero'));
  return names;
}

function random(type: 'float32' | Byte | 'int32', dims: readonly number[], rng: Rng, reach: number): Tensor {
  const low = type === 'uint8' ? 0 : -reach;
  const draw = () => (type === 'float32' ? rng.normal() * reach : rng.integer(low, reach));
  return tensorFrom(type, dims, Array.from({ length: elementCount(dims) }, draw));
}

/** Faults of the engine's outputs against those of onnxruntime, which runs every node as written. */
async function faultsOf(what: string, graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<string[]> {
  const expected = await runReference(graph, feeds);
  const found = runEngine(compiled(graph).plan, feeds);
  return [...expected].flatMap(([name, tensor]) => {
    const wrong = toNumbers(tensor).filter((value, index) => value !== found[name][index]).length;
    return wrong === 0 ? [] : [`${what}: ${wrong} elements of ${name} differ`];
  });
}

const X_DIMS = [1, 3, 6, 5];
/** Scales are powers of two and numbers few, so that sums of floats are exact in every order. */
const [X_SCALE, W_SCALE, Y_SCALE] = [2 ** -5, 2 ** -7, 2 ** -4];

test.each(FORMS)('input %j, with weights and bias in every form: 0 differing bytes', async (x) => {
  const rng = new Rng(5);
  const b = new GraphBuilder();
  const onX = grid(b, x, X_SCALE, 128, 'uint8');
  const quantized = b.node('QuantizeLinear', [b.input('x', 'float32', X_DIMS), ...onX]);
  for (const w of FORMS)
    for (const bias of FORMS) {
      const weights = b.initializer(random('int8', [4, 3, 3, 3], rng, 30), 'w');
      const addend = b.initializer(random('int32', [4], rng, 2000), 'b');
      const operands = [
        b.node('DequantizeLinear', [quantized, ...onX]),
        b.node('DequantizeLinear', [weights, ...grid(b, w, W_SCALE, 0, 'int8')]),
        b.node('DequantizeLinear', [addend, ...grid(b, bias, X_SCALE * W_SCALE, 0, 'int32')]),
      ];
      const y = b.node('Conv', operands, { pads: [1, 1, 1, 1] });
      const name = { outputs: [JSON.stringify({ w, bias })] };
      b.output(b.node('QuantizeLinear', [y, ...grid(b, x, Y_SCALE, 100, 'uint8')], {}, name));
    }
  const graph = b.build();
  expect(compiled(graph).diagnostics).toEqual([]);
  expect(await faultsOf('conv', graph, new Map([['x', random('float32', X_DIMS, rng, 2)]]))).toEqual([]);
});

/** Layers with weights [outputs, ...]: extents of input and weights, and the axis of the output channels. */
const LAYERS = [
  { what: 'Conv', op: 'Conv', x: X_DIMS, w: [4, 3, 3, 3], axis: 0, values: { pads: [1, 1, 1, 1] } },
  { what: 'depthwise Conv', op: 'Conv', x: X_DIMS, w: [3, 1, 3, 3], axis: 0, values: { group: 3 } },
  { what: 'Gemm', op: 'Gemm', x: [2, 7], w: [7, 5], axis: 1, values: {} },
  { what: 'transposed Gemm', op: 'Gemm', x: [2, 7], w: [5, 7], axis: 0, values: { transB: 1 } },
  { what: 'MatMul', op: 'MatMul', x: [2, 3, 7], w: [7, 5], axis: 1, values: {} },
] as const;

test.each(LAYERS)('float weights behind QuantizeLinear and DequantizeLinear: $what', async (layer) => {
  const rng = new Rng(6);
  const b = new GraphBuilder();
  const channels = layer.w[layer.axis];
  const onX = grid(b, PLAIN, X_SCALE, -3, 'int8');
  const quantized = b.node('QuantizeLinear', [b.input('x', 'float32', layer.x), ...onX]);
  for (const perChannel of [false, true])
    for (const type of ['int8', 'uint8'] as const)
      for (const form of perChannel ? [PLAIN] : FORMS) {
        const scales = Array.from({ length: channels }, (_, c) => W_SCALE * 2 ** (c % 2));
        const zeros = scales.map(() => (type === 'uint8' ? 120 : 0));
        const onW = perChannel
          ? [
              b.initializer(tensorFrom('float32', [channels], scales), 'scales'),
              b.initializer(tensorFrom(type, [channels], zeros), 'zeros'),
            ]
          : grid(b, form, W_SCALE, zeros[0], type);
        // Without a zero point the bytes are uint8: a signed type needs one.
        if (onW.length === 1 && type === 'int8') continue;
        const w = b.initializer(random('float32', layer.w, rng, 0.2), 'w');
        const axis = { axis: layer.axis };
        const weights = b.node('DequantizeLinear', [b.node('QuantizeLinear', [w, ...onW], axis), ...onW], axis);
        const y = b.node(layer.op, [b.node('DequantizeLinear', [quantized, ...onX]), weights], layer.values);
        const name = { outputs: [JSON.stringify({ perChannel, type, form })] };
        b.output(b.node('QuantizeLinear', [y, ...grid(b, PLAIN, Y_SCALE, 4, 'int8')], {}, name));
      }
  const graph = b.build();
  const layers = compiled(graph).description.variants[0].nodes.filter(({ op }) => /^(conv|dwconv|fc)_s8$/.test(op));
  expect(layers).toHaveLength(graph.outputs.length);
  expect(await faultsOf(layer.what, graph, new Map([['x', random('float32', layer.x, rng, 1)]]))).toEqual([]);
});

/** Operators over integers, with the operands that they take behind the quantized `x` (and its grid). */
const FUSED: readonly (readonly [
  op: string,
  domain: string,
  draw: (b: GraphBuilder, x: string[], y: string[]) => string[],
  values: Parameters<typeof attributes>[0],
])[] = [
  ['QLinearAdd', 'com.microsoft', (_, x, y) => [...x, ...x, ...y], {}],
  ['QLinearMul', 'com.microsoft', (_, x, y) => [...x, ...x, ...y], {}],
  ['QLinearSigmoid', 'com.microsoft', (_, x, y) => [...x, ...y], {}],
  ['QLinearLeakyRelu', 'com.microsoft', (_, x, y) => [...x, ...y], { alpha: { kind: 'float', value: 0.25 } }],
  ['QLinearGlobalAveragePool', 'com.microsoft', (_, x, y) => [...x, ...y], { channels_last: 0 }],
  ['QLinearConcat', 'com.microsoft', (_, x, y) => [...y, ...x, ...x], { axis: 1 }],
];

test.each(FUSED)('%s becomes its float operator between grids', async (op, domain, draw, values) => {
  const b = new GraphBuilder();
  b.opset('com.microsoft', 1);
  const x = [b.input('x', 'uint8', X_DIMS), ...grid(b, PLAIN, X_SCALE, 100, 'uint8')];
  const y = grid(b, PLAIN, 2 ** -5, 90, 'uint8');
  b.output(b.node(op, draw(b, x, y), values, { domain, outputs: ['y'] }), 'uint8', undefined);
  const feeds = new Map([['x', random('uint8', X_DIMS, new Rng(7), 255)]]);
  const graph = b.build();
  const expected = toNumbers((await runReference(graph, feeds)).get('y')!);
  const found = runEngine(compiled(graph).plan, feeds).y;
  // Its own kernels round ties of sums and products otherwise than the operators they stand for.
  const off = expected.filter((value, index) => Math.abs(value - found[index]) > 1).length;
  expect([found.length, off]).toEqual([expected.length, 0]);
  expect(expected.filter((value, index) => value === found[index]).length).toBeGreaterThan(0.6 * expected.length);
});

test('QLinearConv and QGemm with every mix of single and many scales and zero points: 0 differing bytes', async () => {
  const rng = new Rng(8);
  const faults: string[] = [];
  for (const op of ['QLinearConv', 'QGemm'])
    for (const scales of [[], [1], [4]])
      for (const zeros of [[], [1], [4]]) {
        // What onnxruntime takes: a zero point per channel beside a scale per channel only, in QGemm always both alike.
        if (elementCount(zeros) > elementCount(scales) || (op === 'QGemm' && zeros.join() !== scales.join())) continue;
        const b = new GraphBuilder();
        b.opset('com.microsoft', 1);
        const xDims = op === 'QGemm' ? [3, 6] : X_DIMS;
        const wDims = op === 'QGemm' ? [4, 6] : [4, 3, 2, 2];
        const count = elementCount(scales);
        const sizes = Array.from({ length: count }, (_, c) => W_SCALE * 2 ** (c % 3));
        const inputs = [
          b.input('x', 'uint8', xDims),
          ...grid(b, op === 'QGemm' ? PLAIN : { scale: 'vector', zero: 'scalar' }, X_SCALE, 77, 'uint8'),
          b.initializer(random('int8', wDims, rng, 100), 'w'),
          b.initializer(tensorFrom('float32', scales, sizes), 'w_scale'),
          b.initializer(tensorFrom('int8', zeros, new Array<number>(elementCount(zeros)).fill(0)), 'w_zero'),
        ];
        const onY = grid(b, op === 'QGemm' ? PLAIN : { scale: 'scalar', zero: 'vector' }, Y_SCALE, 120, 'uint8');
        const addend = b.initializer(random('int32', [4], rng, 3000), 'b');
        if (op === 'QGemm')
          b.output(b.node(op, [...inputs, addend, ...onY], { transB: 1 }, { domain: 'com.microsoft', outputs: ['y'] }));
        else b.output(b.node(op, [...inputs, ...onY, addend], {}, { outputs: ['y'] }));
        b.declare('y', 'uint8', undefined);
        const feeds = new Map([['x', random('uint8', xDims, rng, 255)]]);
        faults.push(...(await faultsOf(`${op} ${scales.length}/${zeros.length}`, b.build(), feeds)));
      }
  expect(faults).toEqual([]);
});

test('layers that int32 cannot hold run in float, with a warning that says why', async () => {
  const data = new Array<number>(70000).fill(127);
  const graph = sketch((b, s) => {
    const gemm = (x: string, w: string, name: string, out: number, bias: number) => {
      const addend = b.initializer(tensorFrom('float32', [1], [bias]), 'bias');
      return s.pair(b.node('Gemm', [x, w, addend], { transB: 1 }, { name }), out);
    };
    const wide = s.pair(b.input('x', 'float32', [1, 70000]), 0.5, 0);
    const w = b.node('DequantizeLinear', [b.initializer(tensorFrom('int8', [1, 70000], data)), s.scalar(2 ** -20)]);
    const small = b.input('z', 'float32', [1, 2]);
    return [
      gemm(wide, w, 'wide', 0.5, 0),
      gemm(s.pair(small, 2 ** -20), s.weights([1, 2]), 'high', 2 ** 18, 1e7),
      gemm(s.pair(small, 2 ** -100), s.weights([1, 2]), 'low', 2 ** 60, 0),
      gemm(s.pair(small, 2 ** 10), s.weights([1, 2]), 'coarse', 2, 5),
    ];
  });
  const found = compiled(graph).diagnostics.map(({ where, message }) => `${where}: ${message}`);
  expect(found).toEqual([
    'wide: runs in float (fc_f32): the accumulator of output channel 0 can reach 2266950000, beyond int32',
    expect.stringMatching(/^high: runs in float \(fc_f32\): bias 'bias_1'\[0\] does not fit int32 at scale /),
    expect.stringMatching(/^low: runs in float \(fc_f32\): output channel 0: .* is no positive float32$/),
    expect.stringMatching(/^coarse: runs in float \(fc_f32\): bias 'bias_3'\[0\] is lost between the coarse steps of /),
  ]);
  const rng = new Rng(9);
  const feeds = new Map([
    [
      'x',
      tensorOf(
        'float32',
        [1, 70000],
        Float32Array.from(data, () => rng.integer(0, 3) / 2),
      ),
    ],
    ['z', tensorFrom('float32', [1, 2], [1, -2])],
  ]);
  expect(await faultsOf('float', graph, feeds)).toEqual([]);
});

describeWithCases('what the usual quantizers wrote', () => {
  // Their scales are no powers of two: where a sum lies on a tie, onnxruntime's float sums may round to the other side.
  const STEPS = { zp_bias_1_0: Math.fround(0.05), q_qdq_u8s8: 1 / 255, q_qdq_symact: 1 / 127 };

  test.each(Object.entries(STEPS))('%s runs natively, equal up to one step at ties', async (name, step) => {
    const graph = bindShapes(readModel(readFileSync(casePath(`${name}.onnx`))), { N: 1 });
    const { plan, diagnostics } = compiled(graph);
    expect(diagnostics).toEqual([]);
    const arrays = readNpz(readFileSync(casePath(`${name}.npz`)), name);
    let [count, different, worst] = [0, 0, 0];
    for (let sample = 0; sample < 16; sample++) {
      const feeds = sampleOf(graph, arrays, sample);
      const [expected] = (await runReference(graph, feeds)).values();
      const [found] = Object.values(runEngine(plan, feeds));
      for (const [index, value] of toNumbers(expected).entries()) {
        const steps = Math.abs(value - found[index]) / step;
        worst = Math.max(worst, steps);
        different += Number(steps > 0.5);
        count++;
      }
    }
    expect(count).toBeGreaterThan(0);
    expect(worst).toBeLessThan(1.01);
    expect(different).toBeLessThanOrEqual(Math.max(5, count * 2e-4));
  });
});

/** One sample of arrays with a leading sample axis, as a model with a batch of 1 takes it. */
function sampleOf(graph: Graph, arrays: ReadonlyMap<string, Tensor>, index: number): Map<string, Tensor> {
  return new Map(
    graph.inputs.map((input) => {
      const { type, dims, bytes } = arrays.get(input)!;
      const length = bytes.length / dims[0];
      const sample = bytes.slice(index * length, (index + 1) * length);
      return [input, { type, dims: [1, ...dims.slice(1)], bytes: sample }];
    }),
  );
}
