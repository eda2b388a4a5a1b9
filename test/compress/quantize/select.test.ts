import { DEFAULT_QUANTIZE_OPTIONS } from '../../../lib/compress/quantize/quantize-options';
import { type Selection, selectQuantization } from '../../../lib/compress/quantize/select-quantization';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom } from '../../../lib/ir/tensor';
import { imageNetwork, residualNetwork } from './networks';

const select = (graph: Graph, names: string[] = [], types: string[] = []): Selection =>
  selectQuantization(graph, { names, types });

const groupsOf = ({ groups }: Selection) => groups.map(({ values }) => values.join(' '));

const POOL = { kernel_shape: [3, 3], strides: [2, 2] };

/** The value with a border of `fill`. */
function padded(net: ReturnType<typeof imageNetwork>, value: string, fill: number): string {
  const pads = net.initializer(tensorFrom('int64', [8], [0, 0, 1, 1, 0, 0, 1, 1]), 'pads');
  return net.node(
    'Pad',
    [value, pads, net.initializer(tensorFrom('float32', [], [fill]), 'fill')],
    {},
    {
      outputs: ['padded'],
    },
  );
}

test('a residual network is quantized once per activation, behind each Relu; its Softmax stays float', () => {
  const selection = select(residualNetwork());
  expect(groupsOf(selection)).toEqual(['x', 'relu1', 'relu2', 'conv2', 'relu3', 'pooled flat', 'dense']);
  expect(selection.layers.map(({ node }) => node.name)).toEqual(['conv1', 'depthwise', 'conv2', 'dense']);
  expect(selection.clamps.map(({ input, output }) => `${input} ${output}`)).toEqual([
    'conv1 relu1',
    'depthwise relu2',
    'sum relu3',
  ]);
  expect(selection.skipped).toEqual([{ name: 'probabilities', op: 'Softmax', reason: 'Softmax stays float' }]);
});

test('a Relu whose input is read elsewhere is not taken into the layer', () => {
  const net = imageNetwork();
  const conv = net.conv('conv1', 'x', 3, 4);
  const sum = net.node('Add', [net.apply('Relu', 'relu', conv), conv], {}, { outputs: ['sum'] });
  const selection = select(net.finish(net.conv('conv2', sum, 4, 4)));
  expect(selection.clamps).toEqual([]);
  expect(groupsOf(selection)).toEqual(['x', 'conv1', 'relu', 'sum', 'conv2']);
});

test('copies share one scale: branches of a Concat with a Pad, its value and a constant', () => {
  const net = imageNetwork();
  const pads = net.initializer(tensorFrom('int64', [8], [0, 1, 0, 0, 0, 1, 0, 0]), 'pads');
  const value = net.initializer(tensorFrom('float32', [], [-7]), 'value');
  const constant = net.initializer(tensorFrom('float32', [1, 1, 8, 8], new Array(64).fill(2)), 'constant');
  const left = net.node('Pad', [net.conv('left', 'x', 3, 2), pads, value], {}, { outputs: ['padded'] });
  const right = net.apply('MaxPool', 'pooled', net.conv('right', 'x', 3, 2), {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const joined = net.node('Concat', [left, right, constant], { axis: 1 }, { outputs: ['joined'] });
  const { groups } = select({
    ...net.finish(net.conv('last', joined, 7, 2)),
  });
  const group = groups.find(({ values }) => values.includes('joined'))!;
  expect(group).toEqual({
    values: ['constant', 'left', 'padded', 'right', 'pooled', 'joined'],
    sources: ['constant', 'left', 'right'],
    read: ['joined'],
  });
  expect(groups).toHaveLength(3);
});

test.each<[what: string, build: (net: ReturnType<typeof imageNetwork>) => string, read: string[]]>([
  ['what MaxPool leaves behind', (net) => net.apply('MaxPool', 'pooled', net.conv('a', 'x', 3, 2), POOL), ['pooled']],
  [
    'all of it, where others read it too',
    (net) => {
      const a = net.conv('a', 'x', 3, 2);
      const pooled = net.apply('MaxPool', 'pooled', a, { ...POOL, strides: [1, 1] });
      return net.node('Mul', [a, net.apply('Relu', 'relu', pooled)], {}, { outputs: ['product'] });
    },
    ['a'],
  ],
  [
    'the same elements before they are moved',
    (net) => net.apply('DepthToSpace', 'moved', net.conv('a', 'x', 3, 8), { blocksize: 2 }),
    ['a'],
  ],
  ['padding that a layer reads', (net) => padded(net, net.conv('a', 'x', 3, 2), -7), ['padded']],
  ['not padding with zeros', (net) => padded(net, net.conv('a', 'x', 3, 2), 0), ['a']],
  [
    'not padding that MaxPool drops',
    (net) => net.apply('MaxPool', 'pooled', padded(net, net.conv('a', 'x', 3, 2), Number.NEGATIVE_INFINITY), POOL),
    ['pooled'],
  ],
])('ranges look at %s', (_, build, read) => {
  const net = imageNetwork();
  const value = build(net);
  const { groups } = select(net.finish(net.conv('last', value, 2, 2)));
  expect(groups.find(({ values }) => values.includes('a'))!.read).toEqual(read);
});

test('a Concat of outputs keeps them apart, output arithmetic stays float', () => {
  const net = imageNetwork();
  const boxes = net.apply('Exp', 'boxes', net.conv('box', 'x', 3, 4));
  const scores = net.apply('Sigmoid', 'scores', net.conv('score', 'x', 3, 2));
  const joined = net.node('Concat', [boxes, scores], { axis: 1 }, { outputs: ['joined'] });
  const raw = net.node('Concat', ['box', 'score'], { axis: 1 }, { outputs: ['raw'] });
  const selection = select(net.finish(joined, raw));
  expect(groupsOf(selection)).toEqual(['x', 'box', 'score']);
  expect(selection.skipped.map(({ name }) => name)).toEqual(['boxes', 'scores', 'joined', 'raw']);
});

test('arithmetic joins only when all it reads is on integers', () => {
  const net = imageNetwork();
  const skipped = net.conv('skipped', 'x', 3, 4);
  const sum = net.node('Add', [skipped, net.conv('kept', 'x', 3, 4)], {}, { outputs: ['sum'] });
  const graph = net.finish(net.conv('last', sum, 4, 2));
  const reasonOf = (selection: Selection, name: string) => selection.skipped.find((node) => node.name === name)?.reason;
  expect(select(graph).skipped).toEqual([]);
  const selection = select(graph, ['skip*']);
  expect(reasonOf(selection, 'skipped')).toBe("skipped by name 'skip*'");
  expect(reasonOf(selection, 'sum')).toBe("its input 'skipped' is float");
  expect(groupsOf(selection)).toEqual(['x', 'kept', 'sum', 'last']);
  expect(reasonOf(select(graph, [], ['Add']), 'sum')).toBe('skipped by type Add');
});

test('layers that integers cannot run are named with the reason', () => {
  const net = imageNetwork();
  net.input('kernel', 'float32', [4, 3, 3, 3]);
  const computed = net.node('Conv', ['x', 'kernel'], {}, { outputs: ['computed'] });
  const selection = select(net.finish(computed, net.conv('conv', 'x', 3, 4)));
  expect(selection.layers.map(({ node }) => node.name)).toEqual(['conv']);
  expect(selection.skipped).toEqual([{ name: 'computed', op: 'Conv', reason: "its input 'kernel' is float" }]);
});

test('skip entries that mean nothing are refused with the nearest name', () => {
  const graph = residualNetwork();
  expect(() => select(graph, ['conv9'])).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
  expect(() => select(graph, ['conv9'])).toThrow(/'conv1'/);
  expect(() => select(graph, [], ['Convv'])).toThrow(/'Conv'/);
  expect(select(graph, DEFAULT_QUANTIZE_OPTIONS.skip.names as string[]).layers).toHaveLength(4);
});
