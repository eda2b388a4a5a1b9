import type { Dataset } from '../../ir/dataset';
import { removeDead } from '../../ir/edit';
import type { Graph } from '../../ir/graph';
import { tensorOf, viewAs } from '../../ir/tensor';
import { takesBias } from '../../ops/facts';
import { type ProductLayer, productLayer } from '../layer-inputs';
import { adaround, type RoundingProblem } from './adaround';
import type { Runner } from './calibrate';
import { shiftBiases } from './correct-bias';
import { type LayerMoments, layerMoments } from './layer-moments';
import { layerConstantsOf, type QuantizationPlan, writeQdq } from './plan';
import { choicesFor } from './quantize-options';
import type { WeightedLayer } from './roles';
import { type ChosenGrid, gridLayout, type LayerConstants } from './weights';

/** Codes that AdaRound chose for one layer, and what its bias then needs (nothing where the operator has none). */
export interface LayerRounding {
  /** Node name. */
  readonly layer: string;
  readonly grid: ChosenGrid;
  readonly shift: Float64Array | undefined;
}

/** The plan with a layer rounded so. */
export function applyRounding(plan: QuantizationPlan, { layer, grid, shift }: LayerRounding): QuantizationPlan {
  const next = { ...plan, grids: new Map([...plan.grids, [layer, grid]]) };
  return shift ? shiftBiases(next, new Map([[layer, shift]])) : next;
}

/**
 * Codes chosen by AdaRound for every layer that asks for it, in graph order. A layer reads what the network quantized so far
 * makes, and its targets are its outputs in the float network, so it takes back some of the error before it. Its bias then takes
 * the mean error away. Layers that are no product of weights and rows stay rounded to nearest.
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function roundLayers(
  plan: QuantizationPlan,
  dataset: Dataset,
  runner: Runner,
): Promise<readonly LayerRounding[]> {
  const wanted = new Set(
    [...plan.layers, ...plan.weightOnly]
      .map(({ node }) => node.name)
      .filter((name) => choicesFor(plan.options, name).rounding === 'adaround'),
  );
  if (wanted.size === 0) return [];
  const inputs = [...plan.layers, ...plan.weightOnly].map(({ input }) => input);
  const reference: Graph = { ...plan.graph, outputs: [...new Set([...plan.graph.outputs, ...inputs])] };
  const roundings: LayerRounding[] = [];
  let current = plan;
  let done = 0;
  for (const { name } of plan.graph.nodes) {
    if (!wanted.has(name)) continue;
    const layer = [...current.layers, ...current.weightOnly].find(({ node }) => node.name === name)!;
    const product = productLayer(current.graph, layer.node, layer.weight.index);
    if (typeof product !== 'string') {
      const { graph, dequantized } = writeQdq(current);
      const value = dequantized.get(layer.input) ?? layer.input;
      const weights = current.graph.initializers.get(product.weight)!;
      const sources = {
        float: { graph: reference, value: layer.input },
        quantized: { graph: removeDead({ ...graph, outputs: [value] }), value },
      };
      const moments = await layerMoments(product, weights, sources, dataset, { ...runner, onBatch: undefined });
      const rounding = await roundLayer(current, layer, product, moments, runner);
      roundings.push(rounding);
      current = applyRounding(current, rounding);
    }
    runner.onBatch?.(++done, wanted.size);
  }
  return roundings;
}

async function roundLayer(
  plan: QuantizationPlan,
  layer: WeightedLayer,
  product: ProductLayer,
  moments: LayerMoments,
  runner: Runner,
): Promise<LayerRounding> {
  const { name } = layer.node;
  const constants = layerConstantsOf(plan).get(name)!;
  const centred = takesBias(layer.node);
  const problem = roundingProblem(plan, layer, product, constants, centred ? centre(product, moments) : moments);
  const { integers } = await adaround(problem, runner.evaluate);
  const codes = viewAs(product.tensor(Float32Array.from(integers)), 'float32');
  const { scales, zeroPoints } = constants.weight;
  const { narrowed } = constants;
  return {
    layer: name,
    grid: { scales, ...(zeroPoints && { zeroPoints }), integers: Int8Array.from(codes), narrowed },
    shift: centred ? meanErrors(product, problem, integers, moments) : undefined,
  };
}

function roundingProblem(
  plan: QuantizationPlan,
  layer: WeightedLayer,
  product: ProductLayer,
  { weight }: LayerConstants,
  { inputs, cross, targetPower }: Pick<LayerMoments, 'inputs' | 'cross' | 'targetPower'>,
): RoundingProblem {
  const { groups, units, columns } = product;
  const tensor = plan.graph.initializers.get(product.weight)!;
  const { indices } = gridLayout(plan.graph, layer, choicesFor(plan.options, layer.node.name));
  const spread = (numbers: ArrayLike<number> | undefined) =>
    product.matrix(
      tensorOf(
        'float32',
        tensor.dims,
        Float32Array.from(indices, (index) => numbers?.[index] ?? 0),
      ),
    );
  const [scales, zeroPoints] = [spread(weight.scales), spread(weight.zeroPoints)];
  const codes = product.matrix(tensor).map((w, i) => w / scales[i] + zeroPoints[i]);
  const range = weight.codes!;
  return { groups, units, columns, codes, scales, zeroPoints, range, moments: inputs, cross, power: targetPower };
}

/** The moments around the means: what is left when the bias takes away the mean error. */
function centre(
  { groups, units, columns }: ProductLayer,
  { rows, inputs, cross, inputSums, targetSums, targetPower }: LayerMoments,
): Pick<LayerMoments, 'inputs' | 'cross' | 'targetPower'> {
  const centredInputs = inputs.slice();
  const centredCross = cross.slice();
  for (let g = 0; g < groups; g++)
    for (let c = 0; c < columns; c++) {
      const mean = inputSums[g * columns + c] / rows;
      const row = g * columns + c;
      for (let k = 0; k < columns; k++) centredInputs[row * columns + k] -= mean * inputSums[g * columns + k];
      for (let u = 0; u < units; u++) centredCross[row * units + u] -= mean * targetSums[g * units + u];
    }
  return {
    inputs: centredInputs,
    cross: centredCross,
    targetPower: targetPower.map((power, i) => power - targetSums[i] ** 2 / rows),
  };
}

/** Mean of target less output, per output channel. */
function meanErrors(
  { groups, units, columns }: ProductLayer,
  { scales, zeroPoints }: RoundingProblem,
  integers: Int8Array,
  { rows, inputSums, targetSums }: LayerMoments,
): Float64Array {
  return Float64Array.from({ length: groups * units }, (_, row) => {
    const group = Math.floor(row / units);
    let sum = targetSums[row];
    for (let c = 0; c < columns; c++) {
      const at = row * columns + c;
      sum -= scales[at] * (integers[at] - zeroPoints[at]) * inputSums[group * columns + c];
    }
    return sum / rows;
  });
}
