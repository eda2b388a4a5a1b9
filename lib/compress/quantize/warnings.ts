import type { Diagnostic } from '../../core/diagnostic';
import { attribute } from '../../ir/attribute';
import type { Graph, Node } from '../../ir/graph';
import type { OutputSqnr } from './judge-outputs';
import type { SqnrDb } from './measure-quality';
import type { QuantizeOptions } from './quantize-options';
import { FEWEST_JUDGED } from './quantize-repairs';
import type { Ranges } from './ranges';
import type { OutlyingSample } from './robust-ranges';
import type { SensitiveLayers } from './sensitive-layers';

/** What to know about calibration samples that had no say in the ranges: one warning per value that they stand out in. */
export function outlyingWarnings(
  leftOut: readonly OutlyingSample[],
  { values }: Ranges,
  samples: number,
): readonly Diagnostic[] {
  const names = [...new Set(leftOut.map(({ value }) => value))];
  return names.map((name) => {
    const own = leftOut.filter(({ value }) => value === name);
    const { min, max } = values.find(({ value }) => value === name)!;
    const farthest = own.reduce((a, b) => (Math.abs(b.extreme) > Math.abs(a.extreme) ? b : a)).extreme;
    const range = `${shown(min)} to ${shown(max)}`;
    return {
      severity: 'warning',
      kind: 'outlying-samples',
      where: `value ${name}`,
      message:
        `${own.length} of ${samples} calibration samples reach ${shown(farthest)}, all others ${range}: such samples are clipped ` +
        'and left out of the figures; mend them if they are wrong, or choose the estimator minmax if they matter more than the others',
    };
  });
}

function shown(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** Calibration samples below which ranges and figures say little of others: of one spoken word 74 dB are told where other words have 19. */
const FEW_SAMPLES = 16;

/** A warning where ranges rest on so few samples that others may go far beyond them. */
export function fewSamples(count: number): readonly Diagnostic[] {
  if (count >= FEW_SAMPLES) return [];
  const message = `ranges rest on ${count === 1 ? 'one sample' : `${count} samples`} alone, and the figures are of the same: other samples may do far worse; 100 typical ones or more serve`;
  return [{ severity: 'warning', kind: 'few-samples', where: 'graph', message }];
}

/** What to know about layers that stay float for the sake of the outputs. */
export function leftInFloat({ names, share, sqnrDb: { before, after } }: SensitiveLayers): Diagnostic {
  const some = names.slice(0, 3).join(', ');
  return {
    severity: 'warning',
    kind: 'left-in-float',
    where: names[0],
    message:
      `${names.length === 1 ? 'this layer stays' : `${names.length} layers stay`} float, with ${(100 * share).toFixed(1)} % of the multiply-accumulates ` +
      `(${some}${names.length > 3 ? ', ...' : ''}): the worst output is ${after.toFixed(1)} dB above its noise so, ${before.toFixed(1)} dB with all on integers; floatShare says how much may`,
  };
}

/** Which repairs were off because too few samples could tell whether they help; none where none was asked for. */
export function repairsOff(options: QuantizeOptions, samples: number): readonly Diagnostic[] {
  const rounding = [options, ...Object.values(options.layers)].some((choices) => choices.rounding === 'adaround');
  const off = [
    ...(options.crossLayerEqualization ? ['equalization'] : []),
    ...(rounding ? ['AdaRound'] : []),
    ...(options.biasCorrection && options.mode === 'static' ? ['bias correction'] : []),
  ];
  if (off.length === 0) return [];
  const reason =
    options.heldOut < FEWEST_JUDGED
      ? `heldOut is ${options.heldOut}`
      : `${samples} calibration samples are too few to tell whether it helps: ${2 * FEWEST_JUDGED} are needed, half of them to judge by`;
  return [{ severity: 'warning', kind: 'repairs-off', where: 'graph', message: `no ${off.join(', no ')}: ${reason}` }];
}

/** SQNR of outputs below which a result is worth a warning, in dB: a tenth of the amplitude is noise. */
const WEAK_DB = 20;
/** How far below all layers before it a layer is the place where a network breaks, in dB. */
const FALL_DB = 12;

/** Warnings about outputs that are far from those of the float network, and the layer that noise comes from, with what may help. */
export function weakResults(
  layers: readonly { readonly name: string; readonly sqnrDb: SqnrDb }[],
  outputs: readonly Pick<OutputSqnr, 'name' | 'sqnrDb' | 'medianSqnrDb'>[],
  options: QuantizeOptions,
): readonly Diagnostic[] {
  const weak = outputs.filter(({ sqnrDb, medianSqnrDb }) => Math.min(sqnrDb, medianSqnrDb) < WEAK_DB);
  const worst = layers.find(({ sqnrDb }, at) => {
    const before = Math.min(...layers.slice(0, at).map((layer) => layer.sqnrDb));
    return at > 0 && sqnrDb < WEAK_DB && before - sqnrDb >= FALL_DB;
  });
  const help = worst ? `look at ${worst.name} first` : advice(options);
  const found: Diagnostic[] = weak.map(({ name, sqnrDb, medianSqnrDb }) => ({
    severity: 'warning',
    kind: 'weak-output',
    where: `output ${name}`,
    message:
      sqnrDb === Number.NEGATIVE_INFINITY
        ? 'it is 0 in the float network for all samples: there is nothing that its noise could be compared with; calibrate with some for which it is not'
        : sqnrDb < WEAK_DB
          ? `only ${sqnrDb.toFixed(1)} dB above its noise: ${help}`
          : `half of the samples are at most ${medianSqnrDb.toFixed(1)} dB above their noise; the sum of all is better because of a few samples that are far louder: calibrate without those, or ${help}`,
  }));
  if (worst)
    found.push({
      severity: 'warning',
      kind: 'weak-layer',
      where: worst.name,
      message: `${worst.sqnrDb.toFixed(1)} dB, at least ${FALL_DB} dB below all layers before it: leave it in float (skip.names, --skip-name ${worst.name})`,
    });
  return found;
}

/** What may help a whole network. */
function advice(options: QuantizeOptions): string {
  const choices = [options, ...Object.values(options.layers)];
  if (choices.some(({ weightBits, activationBits }) => (weightBits ?? 8) < 8 || (activationBits ?? 8) < 8))
    return 'more bits, rounding: adaround or training (method: qat) may help';
  if (options.granularity === 'tensor') return 'scales per channel may help';
  if (options.estimator === 'minmax' || options.estimator === 'percentile') return 'the estimator mse may help';
  return 'more, or more typical, calibration samples may help, or layers left in float (`hone sensitivity` ranks them)';
}

/** Warnings about quantized nodes that onnxruntime's default session refuses, though they are valid and the engine runs them. */
export function refusedElsewhere(graph: Graph, isQuantized: (value: string) => boolean): readonly Diagnostic[] {
  const dilated = (node: Node) =>
    node.op === 'AveragePool' && attribute(node, 'dilations', 'ints', []).some((dilation) => dilation !== 1);
  return graph.nodes
    .filter(
      (node) => node.domain === '' && dilated(node) && isQuantized(node.inputs[0]) && isQuantized(node.outputs[0]),
    )
    .map(({ name }) => ({
      severity: 'warning',
      kind: 'refused-elsewhere',
      where: name,
      message:
        'AveragePool with dilations between integers: the default session of onnxruntime (1.30 and others) refuses such a file; the engine ' +
        'runs it, and so does onnxruntime with graph optimisation at level basic',
    }));
}

/** A warning where a file did not become smaller; undefined where it did. */
export function largerFile(bytes: number, floatBytes: number): Diagnostic | undefined {
  if (bytes <= floatBytes) return undefined;
  return {
    severity: 'warning',
    kind: 'larger-file',
    where: 'file',
    message:
      `${bytes} bytes, the float model has ${floatBytes}: with so few weights, scales and nodes take more than they save; ` +
      'compress it for speed on the engine, or keep the float file',
  };
}
