import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import { type AffineParameters, type ConstantParameters, insertQdq, type QdqPlan } from '../../passes/insert-qdq';
import { prepare } from '../../passes/pipeline';
import { logitsOf } from '../logits-of';
import { rangeOf } from './affine';
import type { Runner } from './calibrate';
import { correctBiases } from './correct-bias';
import { equalizeLayers } from './equalize';
import { measureSqnr } from './measure';
import { normalizeLayers } from './normalize-layers';
import { type PartialQuantizeOptions, type QuantizeOptions, resolveQuantizeOptions } from './options';
import { estimateRanges } from './ranges';
import type { QuantizeReport } from './report';
import { isFloat32, type Layer } from './roles';
import { type FusedClamp, type Selection, selectQuantization } from './select';
import { type LayerConstants, layerConstants, requireFiniteConstants } from './weights';

/** How far `quantize` is. */
export interface QuantizeProgress {
  readonly stage: 'calibrate' | 'correct' | 'measure';
  /** Samples done and in all, of this stage. */
  readonly done: number;
  readonly total: number;
}

/** What `quantize` needs besides the graph. */
export interface QuantizeContext {
  /** Calibration samples; no labels needed. */
  readonly dataset: Dataset;
  readonly evaluate: Evaluate;
  readonly options?: PartialQuantizeOptions;
  readonly onProgress?: (progress: QuantizeProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * The network with int8 weights and uint8 activations as QuantizeLinear/DequantizeLinear pairs, and a report. The graph is
 * prepared first (see `prepare`): node names in options and report are those of the prepared graph. Inputs and outputs stay
 * float; the last layer has a pair behind it, so that it runs on integers too.
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE, E_GRAPH_INVALID (constants not finite, nothing to quantize, quantized already),
 * E_DATA_EMPTY, E_DATA_MISMATCH, E_CALIBRATION (naming the value), E_INTERRUPTED
 */
export async function quantize(
  graph: Graph,
  context: QuantizeContext,
): Promise<{ readonly graph: Graph; readonly report: QuantizeReport }> {
  const options = resolveQuantizeOptions(context.options);
  requireFloatGraph(graph);
  const prepared = prepare(graph);
  let float = normalizeLayers(prepared.graph);
  const { calibration, measured, heldOut } = splitSamples(context.dataset, options);
  const runner = (stage: QuantizeProgress['stage']): Runner => ({
    evaluate: context.evaluate,
    signal: context.signal,
    onBatch: (done, total) => context.onProgress?.({ stage, done, total }),
  });

  const selection = selectQuantization(float, options.skip);
  requireWork(selection);
  const constants = selection.layers.flatMap(({ node }) => node.inputs.slice(1));
  requireFiniteConstants(float, [...constants, ...selection.groups.flatMap((group) => group.sources)]);
  const equalized = options.crossLayerEqualization ? equalizeLayers(float) : { graph: float, pairs: [] };
  float = equalized.graph;

  const ranges = await estimateRanges(float, selection.groups, calibration, options, runner('calibrate'));
  const activations = new Map([...ranges.parameters, ...pairsBeforeClamps(selection.clamps, ranges.parameters)]);
  let layers = selection.layers;
  let plan = planOf(float, layers, activations, options);
  if (options.biasCorrection) {
    const corrected = await correctBiases(float, layers, plan.qdq, calibration, runner('correct'));
    [layers, float] = [corrected.layers, corrected.graph];
    plan = planOf(float, layers, activations, options);
  }

  const result = insertQdq(float, plan.qdq);
  const reference = equalized.graph;
  const logits = new Map(
    float.outputs.filter((name) => isFloat32(float, name)).map((name) => [name, logitsOf(float, name)]),
  );
  const resultOf = new Map(selection.clamps.map(({ input, output }) => [input, output]));
  const results = layers.map(({ node }) => resultOf.get(node.outputs[0]) ?? node.outputs[0]);
  const pairs = new Map(
    [...results, ...logits.values()].map((value) => [value, result.dequantized.get(value) ?? value]),
  );
  const sqnr = await measureSqnr(reference, result.graph, pairs, measured, runner('measure'));
  return {
    graph: result.graph,
    report: {
      layers: layers.map(({ node }, index) => ({
        name: node.name,
        op: node.op,
        sqnrDb: sqnr.get(results[index])!,
        weightScales: plan.constants[index].weight.scales.length,
        widenedChannels: plan.constants[index].widened,
      })),
      values: ranges.values,
      skipped: selection.skipped,
      outputs: [...logits].map(([name, value]) => ({ name, sqnrDb: sqnr.get(value)! })),
      samples: { calibration: ranges.samples, measured: measured.count, heldOut },
      equalized: equalized.pairs,
      biasesCorrected: options.biasCorrection,
      diagnostics: prepared.diagnostics,
    },
  };
}

/** The last samples are kept out of calibration to measure on, when there are enough: at most a quarter of them. */
function splitSamples(
  dataset: Dataset,
  options: QuantizeOptions,
): { readonly calibration: Dataset; readonly measured: Dataset; readonly heldOut: boolean } {
  if (dataset.count === 0) throw new HoneError('E_DATA_EMPTY', { path: dataset.name });
  const range = (start: number, end: number) =>
    dataset.select(Array.from({ length: end - start }, (_, index) => start + index));
  const held = Math.min(options.heldOut, Math.floor(dataset.count / 4));
  const rest = dataset.count - held;
  const calibration = range(0, Math.min(options.samples, rest));
  const measured = held > 0 ? range(rest, dataset.count) : range(0, Math.min(calibration.count, 32));
  return { calibration, measured, heldOut: held > 0 };
}

/** Quantization of everything, once the activations are known. */
function planOf(
  graph: Graph,
  layers: readonly Layer[],
  activations: ReadonlyMap<string, AffineParameters>,
  options: QuantizeOptions,
): { readonly qdq: QdqPlan; readonly constants: readonly LayerConstants[] } {
  const constants = layers.map((layer) =>
    layerConstants(graph, layer, activations.get(layer.input)!, options.perChannel),
  );
  const byNode = layers.map(({ node, weight, bias }, index) => {
    const inputs = new Map<number, ConstantParameters>([[weight.index, constants[index].weight]]);
    if (bias !== undefined) inputs.set(bias, constants[index].bias!);
    return [node.name, inputs] as const;
  });
  return { qdq: { activations, constants: new Map(byNode) }, constants };
}

/**
 * Pairs in front of clamps that quantization cannot absorb, because the shared range behind them reaches beyond the clamp:
 * the same scale on both sides, so that the clamp is exact on integers.
 */
function pairsBeforeClamps(
  clamps: readonly FusedClamp[],
  parameters: ReadonlyMap<string, AffineParameters>,
): Map<string, AffineParameters> {
  const pairs = new Map<string, AffineParameters>();
  for (const { input, output, bounds } of clamps) {
    const affine = parameters.get(output)!;
    const { low, high } = rangeOf(affine);
    if (low < bounds[0] || high > bounds[1]) pairs.set(input, affine);
  }
  return pairs;
}

function requireFloatGraph(graph: Graph): void {
  const node = graph.nodes.find(({ op }) => op === 'QuantizeLinear' || op === 'DequantizeLinear');
  if (node === undefined) return;
  throw invalid('already-quantized', `node ${node.name}`, 'the model is quantized already; expected the float model');
}

function requireWork({ layers, skipped }: Selection): void {
  if (layers.length > 0) return;
  const reasons = skipped.slice(0, 5).map(({ name, reason }) => `${name}: ${reason}`);
  throw invalid('nothing-to-quantize', 'graph', `no layer can run on integers (${reasons.join('; ') || 'no nodes'})`);
}

function invalid(kind: string, where: string, message: string): HoneError {
  return new HoneError('E_GRAPH_INVALID', {
    diagnostics: formatDiagnostics([{ severity: 'error', kind, where, message }]),
  });
}
