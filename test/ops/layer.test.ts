import { attributes } from '../../lib/ir/attribute';
import type { Node } from '../../lib/ir/graph';
import { elementCount } from '../../lib/ir/tensor';
import { inputAxis, layerOf } from '../../lib/ops/facts';
import { OPERATORS } from '../../lib/ops/index';
import { unitsOf } from '../../lib/ops/layer';

function node(op: string, values: Parameters<typeof attributes>[0] = {}): Node {
  return { name: op, op, domain: '', inputs: ['x', 'w'], outputs: ['y'], attributes: attributes(values) };
}

/** Layers with weights, and the weights that they may have. */
const LAYERS: readonly (readonly [what: string, node: Node, dims: readonly number[], inputsOfUnit: number])[] = [
  ['Conv', node('Conv'), [6, 4, 3, 2], 4],
  ['Conv in groups', node('Conv', { group: 3 }), [6, 2, 3], 2],
  ['depthwise Conv', node('Conv', { group: 4 }), [8, 1, 3, 3], 1],
  ['ConvTranspose', node('ConvTranspose'), [4, 6, 2, 2], 4],
  ['ConvTranspose in groups', node('ConvTranspose', { group: 2 }), [4, 3, 2, 2], 2],
  ['Gemm', node('Gemm'), [5, 3], 5],
  ['transposed Gemm', node('Gemm', { transB: 1 }), [3, 5], 5],
  ['MatMul', node('MatMul'), [5, 3], 5],
];

test.each(LAYERS)('%s: axes and matrix product tell the same of every weight', (_, layer, dims, inputsOfUnit) => {
  const { axes, product } = layerOf(layer)!;
  const matrix = product!(dims, 1);
  if (typeof matrix === 'string') throw new Error(matrix);
  const { groups, units, columns, position } = matrix;
  const found = unitsOf(axes!, dims);
  expect([found.units, groups * units * columns]).toEqual([groups * units, elementCount(dims)]);
  expect(inputAxis({ node: layer }, dims).extent).toBe(inputsOfUnit);
  expect(found.inputs).toBe(inputsOfUnit * groups);
  const taps = columns / inputsOfUnit;
  const seen = new Set<number>();
  for (let group = 0; group < groups; group++)
    for (let unit = 0; unit < units; unit++)
      for (let column = 0; column < columns; column++) {
        const place = position(group, unit, column);
        seen.add(place);
        expect(found.unitAt(place)).toBe(group * units + unit);
        expect(found.inputAt(place)).toBe(group * inputsOfUnit + Math.floor(column / taps));
      }
  expect(seen.size).toBe(elementCount(dims));
});

test('operators with quantized weights are layers, and the parameters of layers are inputs', () => {
  const layers = OPERATORS.filter(({ layer }) => layer);
  expect(layers.length).toBeGreaterThanOrEqual(8);
  for (const { op, schema, quantization, layer } of OPERATORS) {
    const rule = typeof quantization === 'function' ? quantization(node(op)) : quantization;
    const weights = rule?.inputs.flatMap(({ role }, index) => (role === 'weight' ? [index] : [])) ?? [];
    const parameters = layer?.(node(op)).parameters ?? [];
    expect({ op, weights: parameters.filter(({ role }) => role === 'weight').map(({ index }) => index) }).toEqual({
      op,
      weights: weights.length > 0 || !layer?.(node(op)).axes ? weights : [1],
    });
    for (const { index } of parameters) expect(schema.inputs[index]).toBeDefined();
  }
});
