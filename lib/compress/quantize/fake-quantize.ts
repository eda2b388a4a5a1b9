import { GraphBuilder } from '../../ir/builder';
import { removeDead, typeOf } from '../../ir/edit';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, viewAs } from '../../ir/tensor';
import { inferShapes } from '../../passes/infer-shapes';
import { type AffineParameters, insertQdq } from '../../passes/insert-qdq';
import { trainableParameters } from '../../train/trainable';
import { MIN_SCALE, UINT8_LIMIT } from './affine';
import { layerConstantsOf, type QuantizationPlan } from './plan';
import { choicesFor } from './quantize-options';
import type { WeightedLayer } from './roles';
import { type ChosenGrid, gridLayout, type LayerConstants } from './weights';

/** A scale of the network, as training sees it. */
export interface StepSize {
  /** Initializer. */
  readonly name: string;
  /** Numbers of one sample that are rounded with one scale: weights, or elements of a value. */
  readonly count: number;
  /** Largest code. */
  readonly limit: number;
}

/** A float network that computes what the quantized one will, with weights and scales that can be trained. */
export interface FakeQuantized {
  readonly graph: Graph;
  /** Weights and biases, and the scale of a weight where it has some. */
  readonly parameters: ReadonlyMap<string, string | undefined>;
  readonly steps: readonly StepSize[];
  /** The plan with the parameters and scales of `trained`, a graph like this one. */
  readonly planOf: (trained: Graph) => QuantizationPlan;
}

/** How far from the edge of its code a weight is put whose code was chosen, in steps. */
const MARGIN = 0.05;

/**
 * The network of a plan for training: activations go through pairs of QuantizeLinear and DequantizeLinear, weights through
 * `(clip(round(w/s) + z) - z) s`, biases are rounded to multiples of both scales: few bits make that step large. Values that
 * share a scale share its initializer. Weights whose codes were chosen (AdaRound) are moved, as little as possible, to where
 * rounding gives these codes. Scales 2^n stay as they are.
 */
export function fakeQuantize(plan: QuantizationPlan): FakeQuantized {
  const constants = layerConstantsOf(plan);
  const layers = new Map([...plan.layers, ...plan.weightOnly].map((layer) => [layer.node.name, layer]));
  const float = besideChosenCodes(plan, layers, constants);
  const paired = insertQdq(float, { activations: plan.activations, constants: new Map() });
  const builder = new GraphBuilder({ from: paired.graph });
  // Values of a group share the scale of its first.
  const scaleOf = new Map<string, string>();
  const redirect = new Map<string, string>();
  for (const { values } of plan.selection.groups)
    for (const value of values) {
      const { scale } = paired.parameters.get(values[0])!;
      scaleOf.set(value, scale);
      redirect.set(paired.parameters.get(value)!.scale, scale);
    }
  // Bounds of pairs with fewer codes follow their scale.
  for (const [value, { zeroPoint, limit }] of plan.activations)
    paired.parameters.get(value)!.bounds?.forEach((bound, index) => {
      const steps = tensorFrom('float32', [], [(index === 0 ? 0 : limit!) - zeroPoint]);
      redirect.set(bound, builder.node('Mul', [scaleOf.get(value)!, builder.initializer(steps, `${value}_steps`)]));
    });
  const unclamped = absorbedRelus(plan);
  const weightScales = new Map<string, string>();
  const nodes = paired.graph.nodes.map((node) => {
    const inputs = node.inputs.map((input) => redirect.get(input) ?? input);
    if (node.op === 'QuantizeLinear') inputs[0] = unclamped.get(inputs[0]) ?? inputs[0];
    const layer = layers.get(node.name);
    if (layer) {
      const { scale, output } = emitWeights(builder, float, layer, plan, constants.get(node.name)!);
      weightScales.set(node.name, scale);
      inputs[layer.weight.index] = output;
      if (constants.get(node.name)!.bias)
        inputs[layer.bias!] = emitBias(builder, inputs[layer.bias!], scale, scaleOf.get(layer.input)!);
    }
    return { ...node, inputs };
  });
  const extended = builder.build();
  const helpers = extended.nodes.slice(paired.graph.nodes.length);
  const graph = inferShapes(removeDead({ ...extended, nodes: [...helpers, ...nodes] })).graph;

  const scaleOfWeight = new Map(
    [...layers].map(([name, { node, weight }]) => [node.inputs[weight.index], weightScales.get(name)!]),
  );
  const parameters = trainableParameters(plan.graph).filter((name) => graph.initializers.has(name));
  return {
    graph,
    parameters: new Map(parameters.map((name) => [name, scaleOfWeight.get(name)])),
    steps: [
      ...[...layers].flatMap(([name, layer]) =>
        weightSteps(plan, layer, constants.get(name)!, weightScales.get(name)!),
      ),
      ...activationSteps(plan, scaleOf),
    ],
    planOf: (trained) => readBack(plan, trained, { constants, weightScales, scaleOf, parameters }),
  };
}

/** Results of Relus that the pair behind them makes needless, as codes end at zero: what they read by what they make. */
function absorbedRelus({ selection, activations }: QuantizationPlan): ReadonlyMap<string, string> {
  const absorbed = selection.clamps.filter(({ output, bounds }) => {
    const { zeroPoint, limit } = activations.get(output)!;
    return bounds[0] === 0 && bounds[1] === Number.POSITIVE_INFINITY && zeroPoint === 0 && limit === undefined;
  });
  return new Map(absorbed.map(({ input, output }) => [output, input]));
}

/** The float graph with weights that round to the codes that were chosen for them. */
function besideChosenCodes(
  plan: QuantizationPlan,
  layers: ReadonlyMap<string, WeightedLayer>,
  constants: ReadonlyMap<string, LayerConstants>,
): Graph {
  const initializers = new Map(plan.graph.initializers);
  for (const [name, layer] of layers) {
    const { scales, zeroPoints, integers } = constants.get(name)!.weight;
    if (!integers) continue;
    const weight = layer.node.inputs[layer.weight.index];
    const tensor = plan.graph.initializers.get(weight)!;
    const { indices } = gridLayout(plan.graph, layer, choicesFor(plan.options, name));
    const data = viewAs(tensor, 'float32').map((w, i) => {
      const scale = scales[indices[i]];
      const code = integers[i] - (zeroPoints?.[indices[i]] ?? 0);
      return w === 0 ? 0 : Math.min(code + 0.5 - MARGIN, Math.max(code - 0.5 + MARGIN, w / scale)) * scale;
    });
    initializers.set(weight, tensorOf('float32', tensor.dims, data));
  }
  return { ...plan.graph, initializers };
}

/** Weights behind their quantization: the names of the result and of the scale. */
function emitWeights(
  builder: GraphBuilder,
  graph: Graph,
  layer: WeightedLayer,
  plan: QuantizationPlan,
  { weight }: LayerConstants,
): { readonly output: string; readonly scale: string } {
  const name = layer.node.inputs[layer.weight.index];
  const { dims } = graph.initializers.get(name)!;
  const { axis, block } = gridLayout(graph, layer, choicesFor(plan.options, layer.node.name));
  const broadcast = dims.map((dim, at) =>
    weight.scales.length === 1 ? 1 : at === axis ? Math.ceil(dim / (block ?? 1)) : block === undefined ? 1 : dim,
  );
  const constant = (numbers: Iterable<number>, extents: readonly number[], hint: string) =>
    builder.initializer(tensorOf('float32', extents, Float32Array.from(numbers)), `${name}_${hint}`);
  const scale = constant(weight.scales, broadcast, 'scale');
  const spread = (value: string): string => {
    if (block === undefined) return value;
    const indices = Array.from({ length: dims[axis] }, (_, at) => Math.floor(at / block));
    const at = builder.initializer(tensorFrom('int64', [dims[axis]], indices), `${name}_blocks`);
    return builder.node('Gather', [value, at], { axis });
  };
  const step = spread(scale);
  const [low, high] = weight.codes!;
  const bounds = (from: number, to: number) => [constant([from], [], 'low'), constant([to], [], 'high')];
  const steps = builder.node('Div', [name, step]);
  let codes: string;
  if (weight.zeroPoints === undefined)
    codes = builder.node('Round', [builder.node('Clip', [steps, ...bounds(low, high)])]);
  else {
    // As ONNX does it: the zero point is added behind the rounding.
    const zeroPoint = spread(constant(weight.zeroPoints, broadcast, 'zero_point'));
    const shifted = builder.node('Add', [builder.node('Round', [steps]), zeroPoint]);
    codes = builder.node('Sub', [builder.node('Clip', [shifted, ...bounds(low, high)]), zeroPoint]);
  }
  return { output: builder.node('Mul', [codes, step]), scale };
}

/** A bias rounded to the steps of its layer's accumulator. */
function emitBias(builder: GraphBuilder, bias: string, weightScale: string, inputScale: string): string {
  const flat = builder.initializer(tensorFrom('int64', [1], [-1]), `${bias}_dims`);
  const step = builder.node('Mul', [builder.node('Reshape', [weightScale, flat]), inputScale]);
  return builder.node('Mul', [builder.node('Round', [builder.node('Div', [bias, step])]), step]);
}

function weightSteps(
  plan: QuantizationPlan,
  layer: WeightedLayer,
  { weight }: LayerConstants,
  name: string,
): readonly StepSize[] {
  const { weightBits, scheme } = choicesFor(plan.options, layer.node.name);
  if (scheme === 'power-of-two') return [];
  const { dims } = plan.graph.initializers.get(layer.node.inputs[layer.weight.index])!;
  return [{ name, count: elementCount(dims) / weight.scales.length, limit: 2 ** (weightBits - 1) - 1 }];
}

/** Scales of values that the network computes: that of an input would cost the first layer's gradient, and data tell its range. */
function activationSteps(plan: QuantizationPlan, scaleOf: ReadonlyMap<string, string>): StepSize[] {
  const computed = plan.selection.groups.filter(
    ({ values }) => !values.some((name) => plan.graph.inputs.includes(name)),
  );
  return computed.map(({ values }) => {
    const shape = typeOf(plan.graph, values[0])?.shape ?? [];
    const perSample = shape.slice(1).map((dim) => (typeof dim === 'number' ? dim : 1));
    const limit = plan.activations.get(values[0])!.limit ?? UINT8_LIMIT;
    return { name: scaleOf.get(values[0])!, count: elementCount(perSample), limit };
  });
}

interface Names {
  readonly constants: ReadonlyMap<string, LayerConstants>;
  readonly weightScales: ReadonlyMap<string, string>;
  readonly scaleOf: ReadonlyMap<string, string>;
  readonly parameters: readonly string[];
}

/** The plan with trained numbers. Scales stay positive: one that training has turned around is none. */
function readBack(plan: QuantizationPlan, trained: Graph, names: Names): QuantizationPlan {
  const initializers = new Map<string, Tensor>(plan.graph.initializers);
  for (const name of names.parameters) initializers.set(name, trained.initializers.get(name)!);
  const numbers = (name: string) => viewAs(trained.initializers.get(name)!, 'float32');
  const positive = (scale: number) => Math.max(scale, MIN_SCALE);
  const grids = [...names.weightScales].map(([node, scale]): [string, ChosenGrid] => {
    const { zeroPoints } = names.constants.get(node)!.weight;
    return [node, { scales: numbers(scale).map(positive), ...(zeroPoints && { zeroPoints }) }];
  });
  const activations = [...plan.activations].map(([value, affine]): [string, AffineParameters] => {
    const scale = names.scaleOf.get(value);
    return [value, scale === undefined ? affine : { ...affine, scale: positive(numbers(scale)[0]) }];
  });
  return {
    ...plan,
    graph: { ...plan.graph, initializers },
    grids: new Map(grids),
    activations: new Map(activations),
  };
}
