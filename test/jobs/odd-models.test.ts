import { readFileSync } from 'node:fs';
import { compile } from '../../lib/compile/compile';
import { asHoneError, type HoneError } from '../../lib/core/error';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { openExecutor } from '../../lib/jobs/open-executor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { casePath, describeWithCases } from '../data';

/** The error that compiling a model file ends in. */
function refusalOf(bytes: Uint8Array): HoneError {
  try {
    compile(prepareForEngine(readModel(bytes)), { sourceHash: '0'.repeat(64) });
  } catch (error) {
    return asHoneError(error);
  }
  throw new Error('it compiles');
}

type Values = Parameters<typeof attributes>[0];
const X = [1, 4, 6, 6];

function ofNode(op: string, values: Values, more: (b: GraphBuilder) => string[] = () => [], dims = X, opset = 21) {
  const b = new GraphBuilder({ opset });
  b.output(b.node(op, [b.input('x', 'float32', dims), ...more(b)], values, { name: 'odd', outputs: ['y'] }));
  return writeModel(b.build());
}

const ints = (b: GraphBuilder, ...values: number[]) => b.initializer(tensorFrom('int64', [values.length], values), 'i');
const weights = (b: GraphBuilder) => [b.initializer(tensorFrom('float32', [4, 4, 1, 1], new Array(16).fill(1)), 'w')];
const float = { kind: 'float', value: 1 } as const;

/** Models that nobody can run, and what the refusal must name: the node, and the attribute or input. */
const ODD: readonly (readonly [what: string, bytes: () => Uint8Array, message: RegExp])[] = [
  [
    'auto_pad of integers',
    () => ofNode('Conv', { auto_pad: [1, 2] }, weights),
    /odd: Conv: attribute 'auto_pad' is ints, expected string/,
  ],
  [
    'strides of a text',
    () => ofNode('Conv', { strides: 'two' }, weights),
    /odd: Conv: attribute 'strides' is string, expected ints/,
  ],
  [
    'group of a float',
    () => ofNode('Conv', { group: float }, weights),
    /odd: Conv: attribute 'group' is float, expected int/,
  ],
  [
    'kernel_shape of one number',
    () => ofNode('MaxPool', { kernel_shape: 2 }),
    /odd: MaxPool: attribute 'kernel_shape' is int, expected ints/,
  ],
  ['no kernel_shape', () => ofNode('AveragePool', {}), /odd: AveragePool: attribute 'kernel_shape' is missing/],
  ['no axis', () => ofNode('Concat', {}, () => ['x']), /odd: Concat: attribute 'axis' is missing/],
  ['axis of integers', () => ofNode('Softmax', { axis: [1] }), /odd: Softmax: attribute 'axis' is ints, expected int/],
  [
    'perm of a float',
    () => ofNode('Transpose', { perm: float }),
    /odd: Transpose: attribute 'perm' is float, expected ints/,
  ],
  ['to of a text', () => ofNode('Cast', { to: 'float' }), /odd: Cast: attribute 'to' is string, expected int/],
  [
    'pads of another kind in opset 10',
    () => ofNode('Pad', { pads: 'all' }, undefined, X, 10),
    /odd: Pad: input 'pads' is missing/,
  ],
  ['no pads', () => ofNode('Pad', {}), /odd: Pad: input 'pads' is missing/],
  [
    'pads that are computed',
    () => ofNode('Pad', {}, (b) => [b.input('p', 'int64', [8])]),
    /odd: Pad: the pads are not constant/,
  ],
  ['too few pads', () => ofNode('Pad', {}, (b) => [ints(b, 1, 1)]), /odd: Pad: expected 8 pads, found 2/],
  ['no starts', () => ofNode('Slice', {}), /odd: Slice: input 'starts' is missing/],
  ['ends of another length', () => ofNode('Slice', {}, (b) => [ints(b, 0, 0), ints(b, 3)]), /odd: Slice: /],
  [
    'an axis that is not there',
    () => ofNode('Slice', {}, (b) => [ints(b, 0), ints(b, 3), ints(b, 9)]),
    /odd: Slice: axis 9/,
  ],
  [
    'more inputs than Relu has',
    () => ofNode('Relu', {}, () => ['x', 'x']),
    /odd: Relu: expected at most 1 inputs, found 3/,
  ],
  ['an extent beyond int32', () => ofNode('Relu', {}, undefined, [1, 105226698752]), /graph input.*105226698752/],
  [
    'extents beyond memory',
    () => ofNode('Mul', {}, weights, [1, 4, 2 ** 20, 2 ** 20]),
    /has more than 268435456 elements/,
  ],
];

test.each(ODD)('%s is refused, naming it', (_, bytes, message) => {
  const { code, message: text } = refusalOf(bytes());
  expect(['E_GRAPH_INVALID', 'E_OPERATOR_UNSUPPORTED']).toContain(code);
  expect(text).toMatch(message);
});

test.each([
  ['Conv', {}, [4, 4, 9, 1]],
  ['ConvTranspose', { pads: [4, 0, 4, 0] }, [4, 4, 1, 1]],
  ['MaxPool', { kernel_shape: [9, 1] }, undefined],
] as const)(
  '%s without a window that fits is refused before onnxruntime ends the process',
  async (op, values, dims) => {
    const b = new GraphBuilder();
    const w =
      dims &&
      b.initializer(tensorFrom('float32', dims, new Array(dims.reduce((n: number, dim) => n * dim, 1)).fill(1)));
    const odd = b.node(op, [b.input('x', 'float32', X), ...(w ? [w] : [])], values, { name: 'odd' });
    b.output(b.node('Slice', [odd, ints(b, -1), ints(b, -9), ints(b, 2), ints(b, -1)]));
    const graph = b.build();
    const artifact = { kind: 'model', path: 'odd', bytes: writeModel(graph), hash: '', graph } as const;
    const opened = openExecutor(
      { ...artifact, float16Ports: new Set(), quantized: false, derived: false, notes: [] },
      { executor: 'onnxruntime' },
    );
    await expect(opened).rejects.toMatchObject({
      code: 'E_GRAPH_INVALID',
      message: expect.stringMatching(/odd: /),
    });
  },
);

test('all that is wrong is named at once', () => {
  const b = new GraphBuilder();
  const pooled = b.node('MaxPool', [b.input('x', 'float32', X)], {}, { name: 'one' });
  b.output(b.node('Softmax', [pooled], { axis: 'last' }, { name: 'two' }));
  expect(refusalOf(writeModel(b.build())).message).toMatch(/one: MaxPool[\s\S]*two: Softmax/);
});

describeWithCases('odd models that once ended in an internal error', () => {
  test.each([
    ['onnx-1-pad-extents', /ReLU114: Pad: input 'pads' is missing/],
    ['onnx-3-check-schema', /Constant: expected at most 0 inputs, found 2/],
    ['onnx-7-expected-string-attribut', /Convolution28: Conv: attribute 'auto_pad' is floats, expected string/],
  ])('%s', (name, message) => {
    const { code, message: text } = refusalOf(readFileSync(casePath(`${name}.onnx`)));
    expect([code, text]).toEqual(['E_GRAPH_INVALID', expect.stringMatching(message)]);
  });
});
