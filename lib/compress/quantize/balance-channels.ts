import type { Dataset } from '../../ir/dataset';
import { nameMaker, renameReads, sortNodes, typeOf, type Uses, usesOf } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { tensorOf } from '../../ir/tensor';
import { hasTrait, layerOf } from '../../ops/facts';
import { UINT8_LIMIT } from './affine';
import { collect, type Runner } from './calibrate';
import { type LayerWeights, layerWeights, withWeights } from './layer-weights';
import { ChannelSpan } from './observer';
import type { QuantizationPlan } from './plan';
import { choicesFor } from './quantize-options';
import { isFloat32 } from './roles';

/** What balancing did. */
export interface Balanced {
  readonly graph: Graph;
  /** Values whose channels were scaled. */
  readonly values: readonly string[];
  /** Names of the multiplications that stay float: where a factor found no weights. */
  readonly float: ReadonlySet<string>;
}

/** Powers of a channel's range that are tried as its factor. */
const POWERS = [0.25, 0.5, 0.75, 1] as const;
/** Largest part of the noise that may be left where factors go into weights, and where they cost multiplications. */
const [WORTH_TRYING, WORTH_A_PASS] = [0.8, 0.25];
/** Smallest factor: channels that hardly count need not be as fine as others. */
const LEAST_FACTOR = 1 / 32;

/**
 * The network with channels of quantized values scaled so that the uint8 codes serve quiet channels too (cross-layer equalization, Nagel et
 * al., ICCV 2019, with the ranges of activations, and factors `s_c = (r_c / max r)^p` as in Xiao et al., "SmoothQuant", ICML 2023).
 * Channel c is divided by `s_c` in the weights of the layer that makes the value, and multiplied in the weights of the layers that read
 * it, through operators with `f(s * x) = s * f(x)`; where a float node makes or reads it, a multiplication in float does. The function of
 * the network stays the same, up to float32 rounding. The power p of each value is the one with the least predicted noise, that of the weights
 * included; values stay as they are where the best leaves more than 0.8 of it, or 0.25 with multiplications.
 * @param plan of the float network; its layers, selection and quantized values are read
 * @throws E_CALIBRATION, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function balanceChannels(plan: QuantizationPlan, dataset: Dataset, runner: Runner): Promise<Balanced> {
  const { graph } = plan;
  const sites = new Finder(plan).sites();
  if (sites.length === 0) return { graph, values: [], float: new Set() };
  const spans = sites.map(({ axis }) => new ChannelSpan(axis));
  const requests = new Map<string, ChannelSpan[]>();
  sites.forEach(({ value }, at) => {
    requests.set(value, [spans[at]]);
  });
  await collect(graph, dataset, requests, runner);
  const scaled = sites.flatMap((site, at) => {
    const factors = factorsOf(site, spans[at]);
    if (factors === undefined) return [];
    scaleWeights(site, factors);
    return [{ site, factors }];
  });
  return rewrite(graph, scaled);
}

/** A quantized value whose channels can be scaled. */
interface Site {
  readonly value: string;
  /** Its channel axis. */
  readonly axis: number;
  /** The layer that makes it; undefined where a float node does, or the value is an input. */
  readonly maker: LayerWeights | undefined;
  readonly readers: readonly LayerWeights[];
  /** Float nodes that read the value, or what pools make of it, by that name. */
  readonly float: ReadonlyMap<string, readonly Node[]>;
}

class Finder {
  private readonly plan: QuantizationPlan;
  private readonly uses: Uses;
  private readonly layers = new Map<Node, LayerWeights>();
  private readonly isLayer: ReadonlySet<Node>;
  private readonly skipped: ReadonlySet<string>;
  private readonly makers = new Map<string, Node>();

  constructor(plan: QuantizationPlan) {
    this.plan = plan;
    this.uses = usesOf(plan.graph);
    this.isLayer = new Set(plan.layers.map(({ node }) => node));
    this.skipped = new Set(plan.selection.skipped.map(({ name }) => name));
    for (const node of plan.graph.nodes) for (const output of node.outputs) this.makers.set(output, node);
    for (const { node } of plan.layers) {
      const { granularity, scheme } = choicesFor(plan.options, node.name);
      const weights = layerWeights(plan.graph, this.uses, node);
      // Scales per channel take up any factor of an output channel.
      if (weights && granularity === 'channel' && scheme !== 'power-of-two') this.layers.set(node, weights);
    }
  }

  sites(): Site[] {
    const { graph, layers, selection } = this.plan;
    const made = layers.flatMap(({ node }): Site[] => {
      const maker = this.layers.get(node);
      const clamp = selection.clamps.find(({ input }) => input === node.outputs[0]);
      const homogeneous =
        clamp === undefined || (clamp.bounds[0] === 0 && clamp.bounds[1] === Number.POSITIVE_INFINITY);
      return maker && homogeneous ? this.siteAt(clamp?.output ?? node.outputs[0], maker, maker.channels.units) : [];
    });
    const inputs = new Set(layers.map(({ input }) => input));
    const entered = [...inputs].flatMap((value): Site[] => {
      const maker = this.makers.get(value);
      if (graph.initializers.has(value) || (maker && !this.isFloat(maker))) return [];
      return this.siteAt(value, undefined, undefined);
    });
    return [...made, ...entered];
  }

  /** The site of a value; none where something reads it that cannot be served. */
  private siteAt(value: string, maker: LayerWeights | undefined, channels: number | undefined): Site[] {
    const readers: LayerWeights[] = [];
    const float = new Map<string, Node[]>();
    const walk = (name: string): boolean => {
      if (this.uses.isOutput(name) || !this.plan.activations.has(name)) return false;
      return this.uses.consumers(name).every((node) => {
        const layer = this.layers.get(node);
        if (layer && node.inputs[0] === name) return readers.push(layer) > 0;
        if (this.isLayer.has(node)) return false;
        if (this.isFloat(node) || this.endsInFloat(node)) {
          // A float reader of a float value reads it as it was.
          if (maker !== undefined || name !== value) float.set(name, [...(float.get(name) ?? []), node]);
          return true;
        }
        return hasTrait(node, 'homogeneous') && node.outputs.length === 1 && walk(node.outputs[0]);
      });
    };
    if (!walk(value) || readers.length + float.size === 0) return [];
    const [layer] = maker ? [maker] : readers;
    const axis = layer && layerOf(layer.node)?.unitAxis;
    const count = channels ?? layer?.channels.inputs;
    if (axis === undefined || count < 2 || readers.some((reader) => reader.channels.inputs !== count)) return [];
    return [{ value, axis, maker, readers, float }];
  }

  private isFloat(node: Node): boolean {
    return this.skipped.has(node.name) || !node.outputs.some((output) => isFloat32(this.plan.graph, output));
  }

  /** Whether a node only moves elements to where float nodes read them. */
  private endsInFloat(node: Node): boolean {
    if (hasTrait(node, 'homogeneous') || this.isLayer.has(node)) return false;
    const shared = this.plan.selection.groups.some(
      ({ values }) => values.includes(node.inputs[0]) && values.includes(node.outputs[0]),
    );
    return (
      shared &&
      node.outputs.every(
        (output) =>
          !this.uses.isOutput(output) &&
          this.uses.consumers(output).every((reader) => this.isFloat(reader) || this.endsInFloat(reader)),
      )
    );
  }
}

/** Factors per channel with the least predicted noise; undefined where they are not worth it. */
function factorsOf({ maker, readers, float }: Site, span: ChannelSpan): Float64Array | undefined {
  const { low, high } = span;
  const ranges = high.map((most, channel) => Math.max(most, -low[channel]));
  const largest = ranges.reduce((most, range) => Math.max(most, range), 0);
  if (largest === 0) return undefined;
  const power = span.power();
  const factors = (exponent: number) =>
    ranges.map((range) => (range === 0 ? 1 : Math.max(LEAST_FACTOR, (range / largest) ** exponent)));
  const profiles = readers.map(profileOf);
  const noises = (s: Float64Array): number[] => {
    const scaled = (ends: Float64Array, pick: (a: number, b: number) => number) =>
      ends.reduce((most, end, channel) => pick(most, end / s[channel]), 0);
    const step = (scaled(high, Math.max) - scaled(low, Math.min)) / UINT8_LIMIT;
    const fromFloat = step ** 2 * s.reduce((sum, each) => sum + each ** 2, 0);
    return [...profiles.map((profile) => noiseOf(profile, s, step, power)), ...(float.size > 0 ? [fromFloat] : [])];
  };
  const plain = noises(factors(0));
  let [best, left]: [Float64Array | undefined, number] = [undefined, 1];
  for (const exponent of POWERS) {
    const s = factors(exponent);
    const found = noises(s);
    const ratio = found.reduce((sum, noise, at) => sum + noise / plain[at], 0) / found.length;
    if (ratio < left) [best, left] = [s, ratio];
  }
  const passes = maker === undefined || float.size > 0;
  return left <= (passes ? WORTH_A_PASS : WORTH_TRYING) ? best : undefined;
}

/** What the noise of a layer depends on: per input channel the sum of squares of its weights, per output channel the largest of each input's. */
interface Profile {
  readonly squares: Float64Array;
  /** Per weight position seen once: output channel, input channel, largest magnitude there. */
  readonly largest: readonly ReadonlyMap<number, number>[];
  /** Weights that an output channel has per input channel. */
  readonly taps: number;
}

function profileOf({ weight, channels }: LayerWeights): Profile {
  const squares = new Float64Array(channels.inputs);
  const largest = Array.from({ length: channels.units }, () => new Map<number, number>());
  weight.forEach((w, place) => {
    const [unit, input] = [largest[channels.unitAt(place)], channels.inputAt(place)];
    squares[input] += w * w;
    unit.set(input, Math.max(unit.get(input) ?? 0, Math.abs(w)));
  });
  const pairs = largest.reduce((sum, inputs) => sum + inputs.size, 0);
  return { squares, largest, taps: weight.length / Math.max(pairs, 1) };
}

/** Predicted noise of a layer's outputs, all channels together: of its input's codes, and of its weights' (both times 12). */
function noiseOf({ squares, largest, taps }: Profile, s: Float64Array, step: number, power: Float64Array): number {
  let sum = step ** 2 * squares.reduce((all, square, channel) => all + square * s[channel] ** 2, 0);
  for (const inputs of largest) {
    let [most, through] = [0, 0];
    for (const [channel, w] of inputs) {
      most = Math.max(most, w * s[channel]);
      through += power[channel] / s[channel] ** 2;
    }
    sum += (most / 127) ** 2 * taps * through;
  }
  return sum;
}

/** Divides what makes a value, and multiplies what reads it. */
function scaleWeights({ maker, readers }: Site, factors: Float64Array): void {
  if (maker) {
    const { weight, bias, channels } = maker;
    for (let place = 0; place < weight.length; place++) weight[place] /= factors[channels.unitAt(place)];
    if (bias) for (let unit = 0; unit < bias.length; unit++) bias[unit] /= factors[unit];
  }
  for (const { weight, channels } of readers)
    for (let place = 0; place < weight.length; place++) weight[place] *= factors[channels.inputAt(place)];
}

/** The graph with scaled weights, and multiplications where float nodes make or read what is scaled. */
function rewrite(graph: Graph, scaled: readonly { readonly site: Site; readonly factors: Float64Array }[]): Balanced {
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const values = new Map(graph.values);
  const renames = new Map<Node, Map<string, string>>();
  const added: Node[] = [];
  const multiply = (value: string, { axis }: Site, factors: Float64Array, readers: Iterable<Node>) => {
    const rank = typeOf(graph, value)?.shape?.length ?? 0;
    const at = axis < 0 ? axis + rank : axis;
    const dims = Array.from({ length: rank - at }, (_, index) => (index === 0 ? factors.length : 1));
    const [constant, output] = [fresh(`${value}_factors`), fresh(`${value}_scaled`)];
    initializers.set(constant, tensorOf('float32', dims, Float32Array.from(factors)));
    values.set(output, graph.values.get(value)!);
    added.push({
      name: fresh(`${value}_scale`),
      op: 'Mul',
      domain: '',
      inputs: [value, constant],
      outputs: [output],
      attributes: new Map(),
    });
    for (const reader of readers)
      renames.set(reader, new Map([...(renames.get(reader) ?? []), [value, output] as const]));
  };
  for (const { site, factors } of scaled) {
    if (site.maker === undefined) {
      const inverse = factors.map((factor) => 1 / factor);
      multiply(site.value, site, inverse, readersOf(graph, site));
    }
    for (const [value, nodes] of site.float) multiply(value, site, factors, nodes);
  }
  const nodes = graph.nodes.map((node) => {
    const names = renames.get(node);
    return names ? renameReads(node, names) : node;
  });
  const layers = scaled.flatMap(({ site }) => [...(site.maker ? [site.maker] : []), ...site.readers]);
  return {
    graph: withWeights({ ...graph, nodes: sortNodes([...nodes, ...added]), initializers, values }, layers),
    values: scaled.map(({ site }) => site.value),
    float: new Set(added.map(({ name }) => name)),
  };
}

/** The nodes that read a value of a site on integers. */
function readersOf(graph: Graph, { value, readers }: Site): Node[] {
  const layers = new Set(readers.map(({ node }) => node));
  return graph.nodes.filter(
    (node) => node.inputs.includes(value) && (layers.has(node) || hasTrait(node, 'homogeneous')),
  );
}
