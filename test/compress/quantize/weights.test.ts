import fc from 'fast-check';
import { choicesFor, DEFAULT_QUANTIZE_OPTIONS } from '../../../lib/compress/quantize/quantize-options';
import type { WeightedLayer } from '../../../lib/compress/quantize/roles';
import { layerConstants, requireFiniteConstants } from '../../../lib/compress/quantize/weights';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers, unalignedView, viewAs } from '../../../lib/ir/tensor';
import { type AffineParameters, codesOf, insertQdq } from '../../../lib/passes/insert-qdq';

const CHOICES = choicesFor(DEFAULT_QUANTIZE_OPTIONS, 'any');
const CHANNELS = 3;
const INPUTS = 4;

/** A Gemm `[1, 4] x [4, 3] + [3]` and its description as a layer. */
function gemm(weights: readonly number[], biases: readonly number[]): { graph: Graph; layer: WeightedLayer } {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1, INPUTS]);
  const w = builder.initializer(tensorFrom('float32', [INPUTS, CHANNELS], weights), 'w');
  const b = builder.initializer(tensorFrom('float32', [CHANNELS], biases), 'b');
  builder.output(builder.node('Gemm', ['x', w, b], {}, { outputs: ['y'] }), 'float32', [1, CHANNELS]);
  const graph = builder.build();
  return { graph, layer: { node: graph.nodes[0], input: 'x', weight: { index: 1, axis: 1 }, bias: 2 } };
}

/** Integers and scales of the layer's constants as they stand in the QDQ graph. */
function quantizeLayer(
  weights: readonly number[],
  biases: readonly number[],
  input: AffineParameters,
  perChannel = true,
) {
  const { graph, layer } = gemm(weights, biases);
  const constants = layerConstants(graph, layer, input, { ...CHOICES, granularity: perChannel ? 'channel' : 'tensor' });
  const byInput = new Map([
    [1, constants.weight],
    [2, constants.bias!],
  ]);
  const activations = new Map([['x', input]]);
  const quantized = insertQdq(graph, { activations, constants: new Map([['y', byInput]]) }).graph;
  const numbers = (name: string) => toNumbers(quantized.initializers.get(name)!);
  const spread = (scales: Float32Array) =>
    Array.from({ length: CHANNELS }, (_, c) => scales[scales.length > 1 ? c : 0]);
  return {
    weights: numbers('w_quantized'),
    biases: numbers('b_quantized'),
    weightScales: spread(constants.weight.scales),
    biasScales: spread(constants.bias!.scales),
    widened: constants.widened,
  };
}

const input = { scale: Math.fround(0.02), zeroPoint: 100 };
const numbers = (count: number, size: number) =>
  fc.array(fc.float({ noNaN: true, min: Math.fround(-size), max: Math.fround(size) }), {
    minLength: count,
    maxLength: count,
  });

test.each([true, false])('dequantized constants are within half a step (per channel: %p)', (perChannel) => {
  fc.assert(
    fc.property(numbers(INPUTS * CHANNELS, 4), numbers(CHANNELS, 100), (weights, biases) => {
      const found = quantizeLayer(weights, biases, input, perChannel);
      weights.forEach((w, i) => {
        const scale = found.weightScales[i % CHANNELS];
        expect(Math.abs(found.weights[i])).toBeLessThanOrEqual(127);
        expect(Math.abs(found.weights[i] * scale - w)).toBeLessThanOrEqual(scale * 0.5001);
      });
      biases.forEach((b, c) => {
        expect(found.biasScales[c]).toBe(Math.fround(found.weightScales[c] * input.scale));
        expect(Math.abs(found.biases[c] * found.biasScales[c] - b)).toBeLessThanOrEqual(found.biasScales[c] * 0.5001);
      });
    }),
  );
});

test('int32 sums cannot overflow, whatever the weights, biases and scales', () => {
  const zeroPoint = fc.integer({ min: 0, max: 255 });
  const exponent = fc.integer({ min: -30, max: 10 });
  fc.assert(
    fc.property(
      numbers(INPUTS * CHANNELS, 1),
      numbers(CHANNELS, 1),
      zeroPoint,
      exponent,
      exponent,
      (weights, biases, zero, weightExponent, biasExponent) => {
        const affine = { scale: Math.fround(0.01), zeroPoint: zero };
        const scaled = quantizeLayer(
          weights.map((w) => Math.fround(w * 2 ** weightExponent)),
          biases.map((b) => Math.fround(b * 2 ** biasExponent)),
          affine,
        );
        for (let c = 0; c < CHANNELS; c++) {
          const sum = scaled.weights.reduce((total, q, i) => total + (i % CHANNELS === c ? Math.abs(q) : 0), 0);
          expect(Math.abs(scaled.biases[c]) + Math.max(zero, 255 - zero) * sum).toBeLessThan(2 ** 31);
        }
      },
    ),
  );
});

test('a tiny channel with a large bias is widened until the bias fits; others keep their scale', () => {
  const weights = [1, 1e-9, 0.5, 1, -1e-9, 0.5, 1, 0, 0.5, 1, 0, 0.5];
  const found = quantizeLayer(weights, [0, 50, 0], input);
  expect(found.widened).toEqual([1]);
  expect(found.weightScales[0]).toBe(Math.fround(1 / 127));
  expect(found.biases[1] * found.biasScales[1]).toBeCloseTo(50, 4);
});

test('a channel of zeros takes the largest scale of its layer', () => {
  const weights = [2.54, 0, 1, 2.54, 0, 1, 0, 0, 1, 0, 0, 1];
  const { weightScales } = quantizeLayer(weights, [0, 0, 0], input);
  expect(weightScales[1]).toBe(weightScales[0]);
  const zeros = quantizeLayer(new Array(12).fill(0), [1, 0, -1], input);
  expect(zeros.biases.map((b, c) => b * zeros.biasScales[c])).toEqual([1, 0, -1].map((x) => expect.closeTo(x, 5)));
});

test('per tensor, every channel has the same scale', () => {
  const { graph, layer } = gemm([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], [0, 0, 0]);
  expect([...layerConstants(graph, layer, input, { ...CHOICES, granularity: 'tensor' }).weight.scales]).toEqual([
    Math.fround(3 / 127),
  ]);
});

test('scales beyond float32 are refused by name', () => {
  const { graph, layer } = gemm(new Array(12).fill(3e38), [0, 0, 0]);
  expect(() => layerConstants(graph, layer, { scale: 1e10, zeroPoint: 0 }, CHOICES)).toThrow(/'x'/);
});

test('all constants that are not finite are named at once', () => {
  const { graph } = gemm([1, Number.NaN, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [0, Number.POSITIVE_INFINITY, 0]);
  expect(() => requireFiniteConstants(graph, ['w', 'b', 'x'])).toThrow(
    expect.objectContaining({
      code: 'E_GRAPH_INVALID',
      message: expect.stringMatching(/constant w: .*NaN at element 1.*constant b: .*Infinity at element 1/s),
    }),
  );
  expect(viewAs(graph.initializers.get('b')!, 'float32')).toHaveLength(3);
});

test('constants that lie off their alignment, as in files, get the same grids and codes', () => {
  const offset = ({ type, dims, bytes }: Tensor): Tensor => {
    const room = new Uint8Array(bytes.length + 1);
    room.set(bytes, 1);
    return { type, dims, bytes: room.subarray(1) };
  };
  const weights = Array.from({ length: INPUTS * CHANNELS }, (_, i) => Math.sin(i + 1) * (i + 1));
  const aligned = gemm(weights, [0.5, -2, 3]);
  const graph = {
    ...aligned.graph,
    initializers: new Map([...aligned.graph.initializers].map(([name, tensor]) => [name, offset(tensor)])),
  };
  const [expected, found] = [aligned.graph, graph].map((each) => {
    const constants = layerConstants(each, aligned.layer, input, { ...CHOICES, granularity: 'channel' });
    const codes = [constants.weight, constants.bias!].map((parameters, index) =>
      toNumbers(codesOf(each.initializers.get(['w', 'b'][index])!, parameters)),
    );
    return { constants, codes };
  });
  expect(found).toEqual(expected);
});

test('only float32 is read as such in place', () => {
  expect(unalignedView(tensorFrom('float32', [2], [1, -0.5])).getFloat32(4, true)).toBe(-0.5);
  expect(() => unalignedView(tensorFrom('int32', [1], [1]))).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
});
