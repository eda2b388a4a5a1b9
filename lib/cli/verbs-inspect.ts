import type { OutputSpec } from '../core/output-spec';
import type { PreprocessSpec } from '../core/preprocess';
import type { SoundSpec } from '../core/sound-spec';
import { inspect, type ModelInspection, type PlanInspection } from '../jobs/inspect';
import { describePlan } from '../plan/describe';
import type { HeldWeights } from '../plan/held-weights';
import { engineLines } from './engine-lines';
import { INPUTS, MODEL, openModel, VERBOSE } from './flags';
import { bytesText, countText, pairs } from './text';
import { traceOf } from './trace';
import type { Verb } from './verb';

export const inspectVerb: Verb = {
  args: [MODEL],
  options: [...INPUTS, VERBOSE, { flags: '--nodes', description: 'list the nodes of a plan, too' }],
  examples: ['hone inspect model.onnx', 'hone inspect model.plan --nodes'],
  async run([path], options, console) {
    const artifact = await openModel(path, options, console);
    const found = inspect(artifact, traceOf(console));
    console.result(found);
    if (console.json) return undefined;
    const head = found.kind === 'plan' ? planRows(found, options.verbose === true) : modelRows(found);
    const verbose = options.verbose === true;
    const ports = portRows(found, verbose);
    const rows: [string, string][] = [['file', `${path}, ${bytesText(found.sizeBytes)}`], ...head, ...ports];
    rows.push(['nodes', operatorsText(found.operators, verbose)]);
    if (found.kind === 'model' && verbose) rows.push(...rewriteRows(found));
    for (const line of pairs(rows)) console.say(line);
    if (found.kind === 'model') for (const line of engineLines(found.engine, verbose)) console.say(line);
    if (artifact.kind === 'plan' && options.nodes === true) console.say(`\n${describePlan(artifact.description)}`);
    return undefined;
  },
};

function modelRows({
  quantized,
  irVersion,
  opsets,
  parameters,
  macs,
  macsUnknown,
}: ModelInspection): [string, string][] {
  const versions = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  return [
    ['kind', `${quantized ? 'quantized' : 'float'} model, IR ${irVersion}, opset ${versions.join(', ')}`],
    ['cost', `${macs === null ? 'unknown' : countText(macs)} MAC per sample, ${countText(parameters)} parameters`],
    ...(macsUnknown === null ? [] : [['', `unknown: ${macsUnknown}`] as [string, string]]),
  ];
}

/** What the engine's graph was made by, and what stands in it: counts, then each group of nodes by name. */
function rewriteRows({ rules, recognized }: ModelInspection): [string, string][] {
  const counts = Object.entries(rules).map(([rule, times]) => `${rule} ${times}`);
  const groups = recognized.map(({ name, nodes }) => `${name}: ${nodes.join(', ')}`);
  const kinds = new Map<string, number>();
  for (const { name } of recognized) kinds.set(name, (kinds.get(name) ?? 0) + 1);
  const summary = [...kinds].map(([name, times]) => `${name} ${times}`);
  return [
    ...(counts.length === 0 ? [] : [['rewrites', counts.join(', ')] as [string, string]]),
    ...[...(summary.length === 0 ? [] : [summary.join(', ')]), ...groups].map((text): [string, string] => [
      'recognized',
      text,
    ]),
  ];
}

function planRows(plan: PlanInspection, verbose: boolean): [string, string][] {
  const { weightBytes, weights, arenaBytes, stateBytes, variants, float, sourceSha256 } = plan;
  const states = stateBytes === 0 ? '' : `, states ${bytesText(stateBytes)}`;
  return [
    ['kind', `plan of model ${sourceSha256.slice(0, 12)}${variants === 1 ? '' : `, ${variants} shape variants`}`],
    ['source', float ?? 'not noted'],
    ['memory', `weights ${bytesText(weightBytes)}, arena ${bytesText(arenaBytes)}${states}`],
    ...rowsOf('weights', weights.toSorted((a, b) => b.bytes - a.bytes).map(weightsText), verbose),
  ];
}

/** How a plan holds the weights of a layer, the layers with the most bytes first. */
function weightsText({ layer, encoding, type, bits, group, bytes, decodedBytes }: HeldWeights): string {
  if (encoding === 'plain') return `${layer}: ${type}, ${bytesText(bytes)}`;
  const groups = group === null ? '' : ` in groups of ${group}`;
  const codes = encoding === 'codebook' ? `codebook of ${2 ** bits} ${type}` : `${bits} bits${groups}`;
  return `${layer}: ${codes}, ${bytesText(bytes)}; ${bytesText(decodedBytes)} as ${type}`;
}

/** Most inputs, outputs and operators that are listed without `--verbose`, and the longest extent that is shown whole. */
const MOST_PORTS = 6;
const MOST_OPERATORS = 8;
const MOST_LETTERS = 24;

function portRows(
  { inputs, outputs, preprocess, sound, meaning }: ModelInspection | PlanInspection,
  verbose: boolean,
): [string, string][] {
  const shapeText = (shape: readonly (string | number)[] | null) =>
    shape?.map((extent) => (verbose ? String(extent) : clipped(String(extent)))).join(', ') ?? '?';
  const portText = ({ name, type, shape }: (typeof outputs)[number]) => `${name}: ${type} [${shapeText(shape)}]`;
  const inputText = (input: (typeof inputs)[number]) => `${portText(input)}${axisText(input)}${stateText(input)}`;
  return [
    ...rowsOf('input', inputs.map(inputText), verbose),
    ...rowsOf('', preprocess === null ? [] : [pictureText(preprocess)], verbose),
    ...rowsOf('', sound === null ? [] : [soundText(sound)], verbose),
    ...rowsOf('output', outputs.map(portText), verbose),
    ...rowsOf('', meaning === null ? [] : [meaningText(meaning)], verbose),
  ];
}

function pictureText({ size: [height, width], resize, channels }: PreprocessSpec): string {
  return `pictures of ${width} x ${height} pixels, ${channels}, ${resize}`;
}

function soundText({ rate, hop }: SoundSpec): string {
  return `sound at ${rate} samples per second${hop === undefined ? '' : `, ${hop} from window to window`}`;
}

function meaningText(spec: OutputSpec): string {
  const names = 'alphabet' in spec ? spec.alphabet : 'labels' in spec ? spec.labels : undefined;
  const layout = 'layout' in spec ? ` (${spec.layout})` : '';
  const what = 'alphabet' in spec ? 'characters' : 'labels';
  return `means ${spec.kind}${layout}${names ? `, ${names.length} ${what}` : ''}`;
}

/** Where the samples are, unless it is the first axis; a scalar has no choice. */
function axisText({ sampleAxis, shape }: ModelInspection['inputs'][number]): string {
  if (sampleAxis === 0 || shape?.length === 0) return '';
  return sampleAxis === 'none' ? ', a whole one per sample' : `, samples on axis ${sampleAxis}`;
}

function stateText({ next }: ModelInspection['inputs'][number]): string {
  return next === null ? '' : `, a state: the next one is ${next}`;
}

function rowsOf(label: string, texts: readonly string[], verbose: boolean): [string, string][] {
  const shown = verbose || texts.length <= MOST_PORTS + 1 ? texts : texts.slice(0, MOST_PORTS);
  const left = texts.length - shown.length;
  return [...shown, ...(left === 0 ? [] : [`and ${left} more`])].map((text) => [label, text]);
}

function clipped(text: string): string {
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 1)}…`;
}

function operatorsText(operators: Readonly<Record<string, number>>, verbose: boolean): string {
  const entries = Object.entries(operators);
  const shown = verbose || entries.length <= MOST_OPERATORS + 1 ? entries : entries.slice(0, MOST_OPERATORS);
  const left = entries.slice(shown.length);
  const count = left.reduce((sum, [, more]) => sum + more, 0);
  const words = shown.map(([op, times]) => `${op} ${times}`).join(', ');
  return left.length === 0 ? words : `${words} and ${count} of ${left.length} other kinds`;
}
