import { readFileSync } from 'node:fs';
import { compile, diagnose } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import { ELEMENT_TYPES } from '../../lib/ir/element-type';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { findOperator } from '../../lib/ops';
import { COMPOSITES } from '../../lib/ops/composites/find-composite';
import { bindShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { dataPath, describeWithData } from '../data';
import { integers, uniform } from '../ops/op-case';
import { optimizedGraph } from '../optimized-graph';
import { type CompositeCase, STANDARD } from './composite-cases';
import { MICROSOFT, NBITS } from './microsoft-cases';
import { randomNetwork } from './random-networks';
import { HASH, runEngine, runReference } from './run-case';

/** A case as a graph, and what is fed to it. */
function graphOf({
  op,
  inputs,
  attributes,
  outputs = 1,
  opset = 21,
  domain = '',
  constants = [],
  left = [],
}: CompositeCase) {
  const b = new GraphBuilder({ opset });
  const feeds = new Map<string, Tensor>();
  const names = inputs.map((tensor, index) => {
    if (tensor === undefined) return '';
    if (constants.includes(index)) return b.initializer(tensor, `c${index}`);
    feeds.set(`x${index}`, tensor);
    return b.input(`x${index}`, tensor.type, tensor.dims);
  });
  const made = Array.from({ length: outputs }, (_, index) => (left.includes(index) ? '' : `y${index}`));
  for (const name of b.nodes(op, names, outputs, attributes, { outputs: made, domain }))
    if (name !== '') b.output(name);
  return { graph: b.build(), feeds };
}

const UNKNOWN = { type: 'float32', shape: [1] } as const;

const named = [...STANDARD, ...MICROSOFT].map(
  (item) => [`${item.domain ?? ''} ${item.op}: ${item.title}`, item] as const,
);

test('every composite operator has a case', () => {
  const tested = new Set([...STANDARD, ...MICROSOFT].map(({ domain = '', op }) => `${domain}:${op}`));
  // Layouts of one CPU are refused below.
  const { 'com.microsoft.nchwc': _, ...apart } = COMPOSITES;
  const all = Object.entries(apart).flatMap(([domain, row]) => Object.keys(row).map((op) => `${domain}:${op}`));
  expect(all.filter((name) => !tested.has(name))).toEqual([]);
  expect(all.length).toBeGreaterThan(20);
});

test.each(named)('%s', async (_, item) => {
  const { graph, feeds } = graphOf(item);
  const apart = prepared(graph);
  const oracle = item.oracle ? graphOf({ ...item, ...item.oracle }) : { graph, feeds };
  const expected = await runReference(oracle.graph, oracle.feeds);
  const found = runEngine(compile(apart, { sourceHash: HASH }).plan, feeds);
  for (const [name, tensor] of expected)
    expect(apart.values.get(name)).toEqual({ type: tensor.type, shape: tensor.dims });
  expect(differences(expected, found, item.tolerance)).toEqual([]);
  // The parts are valid ONNX, as the whole was.
  const again = await runReference(apart, feeds);
  expect(differences(expected, numbersOf(again), item.tolerance)).toEqual([]);
});

type Numbers = Readonly<Record<string, ArrayLike<number | bigint>>>;

function numbersOf(tensors: ReadonlyMap<string, Tensor>): Numbers {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, toNumbers(tensor)]));
}

/** Elements that are not near those of onnxruntime. */
function differences(expected: ReadonlyMap<string, Tensor>, found: Numbers, tolerance = 1e-5): readonly unknown[] {
  return [...expected].flatMap(([name, tensor]) => {
    expect(found[name]).toHaveLength(elementCount(tensor.dims));
    return toNumbers(tensor).flatMap((value, i) => {
      const other = Number(found[name][i]);
      const near = value === other || Math.abs(value - other) <= tolerance * (1 + Math.abs(value));
      return near ? [] : [{ name, i, value, found: other }];
    });
  });
}

/** The graph of plain nodes that the engine runs. */
function prepared(graph: Graph): Graph {
  const { graph: plain, diagnostics } = prepare(graph, { verify: true });
  expect(diagnostics).toEqual([]);
  expect(plain.nodes.filter(({ domain, op }) => findOperator(domain, op) === undefined)).toEqual([]);
  expect(diagnose(plain)).toEqual([]);
  return plain;
}

/** Forms that are refused, and a word of the reason. */
const REFUSED: readonly (readonly [reason: string, item: CompositeCase])[] = [
  ['takes a diagonal', { op: 'Einsum', title: '', inputs: [uniform([3, 3])], attributes: { equation: 'ii->i' } }],
  ['stands in no term', { op: 'Einsum', title: '', inputs: [uniform([3])], attributes: { equation: 'i->ij' } }],
  ['does not name 2 axes', { op: 'Einsum', title: '', inputs: [uniform([3, 3])], attributes: { equation: 'i->i' } }],
  [
    '2 terms for 1 input',
    { op: 'Einsum', title: '', inputs: [uniform([3, 3])], attributes: { equation: 'ij,jk->ik' } },
  ],
  [
    "'j' has 3 and 4 elements",
    { op: 'Einsum', title: '', inputs: [uniform([2, 3]), uniform([4, 2])], attributes: { equation: 'ij,jk->ik' } },
  ],
  [
    'do not make 5 heads',
    {
      op: 'Attention',
      title: '',
      opset: 23,
      inputs: [uniform([1, 2, 8]), uniform([1, 2, 8]), uniform([1, 2, 8])],
      attributes: { q_num_heads: 5, kv_num_heads: 5 },
    },
  ],
  [
    'no multiple of those of keys',
    { op: 'Attention', title: '', opset: 23, inputs: [3, 2, 2].map((heads) => uniform([1, heads, 2, 4])) },
  ],
  [
    'expected num_heads',
    {
      op: 'RotaryEmbedding',
      title: '',
      opset: 23,
      inputs: [uniform([1, 2, 8]), uniform([1, 2, 4]), uniform([1, 2, 4])],
    },
  ],
];

const microsoft = (
  op: string,
  inputs: CompositeCase['inputs'],
  attributes?: CompositeCase['attributes'],
): CompositeCase => ({
  op,
  title: '',
  domain: 'com.microsoft',
  inputs,
  attributes,
  constants: [1],
});
const x = uniform([2, 4]);
const square = uniform([4, 4]);

const REFUSED_OF_MICROSOFT: typeof REFUSED = [
  ["activation 'Elu'", microsoft('FusedGemm', [x, square], { activation: 'Elu' })],
  ['expected the last axis, found 1', microsoft('BiasSoftmax', [uniform([2, 3, 4]), uniform([1, 3, 4])], { axis: 1 })],
  ['as many axes', microsoft('BiasSoftmax', [x, uniform([4])], { axis: 1 })],
  [
    'blocks of the CPU',
    { ...microsoft('ReorderOutput', [uniform([1, 8, 4, 4])], { channels: 8 }), domain: 'com.microsoft.nchwc' },
  ],
  ["output 'mean'", { ...microsoft('SkipLayerNormalization', [x, x, uniform([4])]), outputs: 2 }],
  ['input 2 of SkipLayerNormalization is missing', microsoft('SkipLayerNormalization', [x, x])],
  ['expected constant weights', { ...NBITS, constants: [] }],
  ['bits = 3', { ...NBITS, attributes: { ...NBITS.attributes, bits: 3 } }],
  ["input 'g_idx'", { ...NBITS, inputs: [...NBITS.inputs, undefined, integers('int32', [40], 0, 2)] }],
  ['do_rotary = 1', microsoft('Attention', [uniform([1, 2, 4]), uniform([4, 12])], { num_heads: 2, do_rotary: 1 })],
  [
    'one length per sequence',
    microsoft('Attention', [uniform([1, 2, 4]), uniform([4, 12]), undefined, integers('int32', [3], 0, 2)], {
      num_heads: 2,
    }),
  ],
  [
    'grouped channels',
    {
      op: 'ConvInteger',
      title: '',
      inputs: [integers('uint8', [1, 600, 1, 1], 0, 255), integers('uint8', [2, 300, 1, 1], 250, 255)],
      attributes: { group: 2 },
      constants: [1],
    },
  ],
  [
    'single terms',
    {
      op: 'ConvInteger',
      title: '',
      inputs: [integers('uint8', [1, 1, 17, 17], 0, 255), integers('uint8', [1, 1, 17, 17], 250, 255)],
      constants: [1],
    },
  ],
];

test.each([...REFUSED, ...REFUSED_OF_MICROSOFT])(
  'what is refused is said when it is read and when it is compiled: %s',
  (reason, item) => {
    const { graph } = graphOf(item);
    const { graph: prepared, diagnostics } = prepare({ ...graph, values: new Map([...graph.values, ['y0', UNKNOWN]]) });
    expect(diagnostics.map(({ kind }) => kind)).toEqual(['unknown-operator']);
    expect(diagnostics[0].message).toContain(reason);
    expect(diagnose(prepared).map(({ message }) => message)).toEqual([expect.stringContaining(reason)]);
  },
);

test('open extents keep a composite that needs them, and not one that does not', () => {
  const b = new GraphBuilder({ opset: 24 });
  const x = b.input('x', 'float32', ['N', 'length', 8]);
  b.output(b.node('Swish', [x]));
  b.output(b.node('Attention', [x, x, x], { q_num_heads: 2, kv_num_heads: 2 }));
  b.output(b.node('Einsum', [x, x], { equation: 'bij,bkj->bik' }));
  const { graph, diagnostics } = prepare(b.build());
  const left = graph.nodes.filter(({ domain, op }) => findOperator(domain, op) === undefined);
  expect(left.map(({ op }) => op)).toEqual(['Einsum']);
  expect(diagnostics[0].message).toContain("expected numbers for the shape [N,length,8] of 'x'");
});

test('25 random networks run as the optimiser of onnxruntime leaves them', async () => {
  const met = new Set<string>();
  for (let seed = 1; seed <= 25; seed++) {
    const { graph, feeds } = randomNetwork(new Rng(seed), 'float');
    const optimized = await optimizedGraph(graph, { optimization: 'extended' });
    for (const { domain, op } of optimized.nodes) if (domain === 'com.microsoft') met.add(op);
    const found = runEngine(compile(prepared(optimized), { sourceHash: HASH }).plan, feeds);
    expect(differences(await runReference(graph, feeds), found, 1e-4)).toEqual([]);
  }
  expect([...met]).toContain('FusedConv');
});

test('a product that is quantized while it runs gives what onnxruntime gives', async () => {
  // As its dynamic quantizer writes it.
  const b = new GraphBuilder();
  const [codes, scale, zero] = b.nodes('DynamicQuantizeLinear', [b.input('x', 'float32', [6, 40])], 3);
  const w = b.initializer(integers('int8', [40, 5], -128, 127, 2), 'w');
  const sums = b.node('Cast', [b.node('MatMulInteger', [codes, w, zero])], { to: ELEMENT_TYPES.float32.code });
  const factor = b.node('Mul', [scale, b.initializer(tensorFrom('float32', [1], [2 ** -8]), 'scale')]);
  b.output(b.node('Mul', [sums, factor], {}, { outputs: ['y'] }), 'float32', [6, 5]);
  const graph = b.build();
  const feeds = new Map([['x', uniform([6, 40])]]);
  const found = runEngine(compile(prepared(graph), { sourceHash: HASH }).plan, feeds);
  expect(differences(await runReference(graph, feeds), found, 1e-6)).toEqual([]);
});

describeWithData('a transformer', () => {
  test('runs as the optimiser of onnxruntime leaves it', async () => {
    const bytes = readFileSync(dataPath('models', 'aidreams260k_transformer.onnx'));
    const graph = bindShapes(readModel(bytes), { T: 8 });
    const optimized = await optimizedGraph(graph, { optimization: 'extended' });
    const ops = new Set(optimized.nodes.map(({ op }) => op));
    for (const op of ['SimplifiedLayerNormalization', 'QuickGelu', 'FusedMatMul']) expect(ops).toContain(op);
    const feeds = new Map([['tokens', tensorFrom('int64', [1, 8], [1, 5, 2, 8, 13, 21, 34, 55])]]);
    const found = runEngine(compile(prepared(optimized), { sourceHash: HASH }).plan, feeds);
    expect(differences(await runReference(graph, feeds), found, 1e-4)).toEqual([]);
  });
});
