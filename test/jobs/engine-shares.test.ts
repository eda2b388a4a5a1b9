import { countMacs } from '../../lib/compress/count-macs';
import { quantize } from '../../lib/compress/quantize/quantize';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { type EngineView, engineView } from '../../lib/jobs/engine-shares';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { NetworkBuilder, randomImages, randomTensor, residualNetwork } from '../compress/quantize/networks';
import { LAYERS, toyGraph } from './toy';

const view = (graph: Graph): EngineView => engineView(prepareForEngine(graph));
const shareOf = ({ shares }: EngineView) => Object.fromEntries(shares.map(({ place, ...share }) => [place, share]));

const [FIRST, SECOND] = LAYERS.map(({ inputs, outputs }) => inputs * outputs);

/** x [N, 8] -> MatMul -> operator -> MatMul [N, 3]. */
function withMiddle(op: string): Graph {
  const builder = new GraphBuilder();
  const layer = (input: string, inputs: number, outputs: number) =>
    builder.node('MatMul', [
      input,
      builder.initializer(tensorFrom('float32', [inputs, outputs], new Array(inputs * outputs).fill(0.5))),
    ]);
  const hidden = layer(builder.input('x', 'float32', ['N', 8]), 8, 16);
  builder.output(layer(builder.node(op, [hidden], {}, { name: 'middle' }), 16, 3), 'float32', ['N', 3]);
  return builder.build();
}

test('a float network runs in float, all of it', () => {
  const found = view(toyGraph());
  expect(shareOf(found)).toEqual({
    int8: { macs: 0, weightBytes: 0 },
    float: { macs: FIRST + SECOND, weightBytes: 4 * (FIRST + SECOND + 16 + 3) },
    none: { macs: 0, weightBytes: 0 },
  });
  expect(found).toMatchObject({ groups: [], missing: [] });
});

test('what the engine lacks is told apart', () => {
  const found = view(withMiddle('Wobble'));
  const reason = 'the engine has no kernel for it, neither int8 nor float';
  expect(found.groups).toEqual([{ place: 'none', op: 'Wobble', reason, nodes: ['middle'] }]);
  expect(found.missing).toHaveLength(1);
});

test('shares add up to the whole', () => {
  for (const graph of [toyGraph(), withMiddle('Sigmoid'), withMiddle('LogSoftmax')]) {
    const { shares } = view(graph);
    expect(shares.reduce((sum, { macs }) => sum + macs!, 0)).toBe(countMacs(prepareForEngine(graph)));
  }
});

test('a quantized network runs in int8, a layer left out in float, and says so', async () => {
  await using reference = createReferenceEvaluate();
  const shares = async (names: readonly string[]) => {
    const options = { skip: { names: [...names] } };
    const { graph } = await quantize(residualNetwork(), {
      dataset: randomImages(32),
      evaluate: reference.evaluate,
      options,
    });
    return shareOf(view(graph));
  };
  const [whole, part] = [await shares([]), await shares(['conv2'])];
  expect(whole.int8.macs).toBe(countMacs(prepareForEngine(residualNetwork())));
  expect([whole.float.macs, whole.none.macs]).toEqual([0, 0]);
  expect(part.float.macs).toBeGreaterThan(0);
  expect(part.int8.macs! + part.float.macs!).toBe(whole.int8.macs);
  // Float weights take four times the bytes.
  expect(part.float.weightBytes).toBeGreaterThan(3 * (whole.int8.weightBytes - part.int8.weightBytes));
});

/** Images [N, 3, 12, 12] made smaller, then larger again in four ways: as decoders of segmentation and super resolution do. */
function decoder(): Graph {
  const b = new NetworkBuilder();
  const weights = (name: string, dims: readonly number[]) => b.initializer(randomTensor(new Rng(7), dims, 0.3), name);
  const down = b.apply('MaxPool', 'down', b.conv('first', b.input('x', 'float32', ['N', 3, 12, 12]), 3, 8), {
    kernel_shape: [4, 4],
    strides: [4, 4],
  });
  const up = b.node('ConvTranspose', [down, weights('up_w', [8, 6, 4, 4])], { strides: [2, 2], pads: [1, 1, 1, 1] });
  const scales = b.initializer(tensorFrom('float32', [4], [1, 1, 2, 2]));
  const nearest = b.node('Resize', [down, '', scales]);
  const shuffled = b.node('DepthToSpace', [down], { blocksize: 2 });
  const apart = b.node('ConvTranspose', [down, weights('apart_w', [8, 1, 2, 2]), weights('apart_b', [8])], {
    strides: [2, 2],
    group: 8,
  });
  return b.finish(b.conv('last', b.node('Concat', [up, nearest, shuffled, apart], { axis: 1 }), 24, 2));
}

test('what a decoder is made of runs on int8 when it is compressed', async () => {
  await using reference = createReferenceEvaluate();
  const rng = new Rng(3);
  const dataset = datasetFromTensors('memory', new Map([['x', randomTensor(rng, [32, 3, 12, 12])]]));
  const { graph } = await quantize(decoder(), { dataset, evaluate: reference.evaluate });
  const { groups, shares } = view(graph);
  expect(groups).toEqual([]);
  expect(shares.find(({ place }) => place === 'int8')!.macs).toBe(countMacs(prepareForEngine(decoder())));
});

test('a QLinearConv whose sums can leave int32 runs in float, and says so', () => {
  const builder = new GraphBuilder();
  const grid = (type: 'int8' | 'float32', value: number) => builder.initializer(tensorFrom(type, [], [value]));
  const [scale, zero] = [grid('float32', 0.1), grid('int8', 0)];
  const weights = builder.initializer(tensorFrom('int8', [2, 1, 1, 1], [3, 4]));
  const bias = builder.initializer(tensorFrom('int32', [2], [0, -(2 ** 31)]));
  const x = builder.input('x', 'int8', [1, 1, 4, 4]);
  builder.output(builder.node('QLinearConv', [x, scale, zero, weights, scale, zero, scale, zero, bias]));
  const found = view(builder.build());
  expect(shareOf(found).float.macs).toBe(32);
  expect(found.groups).toMatchObject([{ place: 'float', reason: expect.stringContaining('beyond int32') }]);
});

test('a layer that stays float in a quantized network says why, also where nothing was refused', () => {
  const builder = new GraphBuilder();
  const grid = [
    builder.initializer(tensorFrom('float32', [], [0.5])),
    builder.initializer(tensorFrom('uint8', [], [3])),
  ];
  const codes = builder.node('QuantizeLinear', [builder.input('x', 'float32', [1, 4]), ...grid]);
  builder.output(
    builder.node('Softmax', [builder.node('DequantizeLinear', [codes, ...grid])], {}, { name: 'chances' }),
  );
  expect(view(builder.build()).groups).toEqual([
    {
      place: 'float',
      op: 'Softmax',
      reason: 'the engine has a float kernel for it, none for int8',
      nodes: ['chances'],
    },
  ]);
});
