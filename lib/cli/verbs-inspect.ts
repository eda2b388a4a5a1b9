import pc from 'picocolors';
import { inspect, type ModelInspection, type PlanInspection } from '../jobs/inspect';
import { describePlan } from '../plan/describe';
import type { Console } from './console';
import { INPUTS, MODEL, openModel } from './options';
import { bytesText, countText, diagnosticLines, pairs } from './text';
import type { Verb } from './verb';

export const inspectVerb: Verb = {
  args: [MODEL],
  options: [...INPUTS, { flags: '--nodes', description: 'list the nodes of a plan, too' }],
  examples: ['hone inspect model.onnx', 'hone inspect model.plan --nodes'],
  async run([path], options, console) {
    const artifact = await openModel(path, options, console);
    const found = inspect(artifact);
    console.result(found);
    if (console.json) return undefined;
    const head = found.kind === 'plan' ? planRows(found) : modelRows(found);
    const ports = [
      ...found.inputs.map((port) => ['input', port] as const),
      ...found.outputs.map((port) => ['output', port] as const),
    ].map(([what, { name, type, shape }]) => [what, `${name}: ${type} [${shape?.join(', ') ?? '?'}]`] as const);
    const counts = Object.entries(found.operators).map(([op, count]) => `${op} ${count}`);
    const rows = [['file', `${path}, ${bytesText(found.sizeBytes)}`] as const, ...head, ...ports];
    for (const line of pairs([...rows, ['nodes', counts.join(', ')]])) console.say(line);
    if (found.kind === 'model') sayMissing(found, console);
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

function planRows({ weightBytes, arenaBytes, variants, float, sourceSha256 }: PlanInspection): [string, string][] {
  return [
    ['kind', `plan of model ${sourceSha256.slice(0, 12)}${variants === 1 ? '' : `, ${variants} shape variants`}`],
    ['source', float ?? 'not noted'],
    ['memory', `weights ${bytesText(weightBytes)}, arena ${bytesText(arenaBytes)}`],
  ];
}

function sayMissing({ missing }: ModelInspection, console: Console): void {
  if (missing.length === 0) console.say(pc.green('runs wholly on the native engine'));
  else console.say(pc.yellow(`${missing.length} node(s) do not run on the native engine; use --executor onnxruntime:`));
  for (const line of diagnosticLines(missing)) console.say(line);
}
