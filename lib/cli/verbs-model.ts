import pc from 'picocolors';
import { buildAddon } from '../jobs/build-addon';
import { examine } from '../jobs/doctor';
import { inspect, type ModelInspection, type PlanInspection } from '../jobs/inspect';
import { makePlan, requireModel } from '../jobs/make-plan';
import { writeFileAtomically } from '../jobs/write-file';
import { describePlan } from '../plan/describe';
import { openMachineSensors } from '../sensors/machine';
import type { Console } from './console';
import {
  COMMON,
  INPUTS,
  MODEL,
  openModel,
  preprocessing,
  progressOf,
  QUANTIZE,
  quantizeOptions,
  text,
} from './options';
import { targetOf } from './target';
import { bytesText, countText, diagnosticLines, pairs, readingText } from './text';
import type { Verb } from './verb';

export const inspectVerb: Verb = {
  name: 'inspect',
  summary: 'show inputs, outputs, operators, cost, and what the engine lacks',
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

export const compileVerb: Verb = {
  name: 'compile',
  summary: 'compile a model to a plan for the native engine',
  args: [MODEL],
  options: [
    { flags: '--out <path>', description: 'file to write; <model>.plan when left out' },
    COMMON.calibration,
    ...INPUTS,
    COMMON.preprocess,
    ...QUANTIZE,
  ],
  examples: ['hone compile model.int8.onnx', 'hone compile model.onnx --calibration calib.npz'],
  async run([path], options, console) {
    const target = await targetOf(path, options, '.plan');
    const model = requireModel(await openModel(path, options, console), 'compile');
    const data = text(options, 'calibration');
    const { plan, diagnostics } = await makePlan(model, {
      ...(data === undefined ? {} : { data }),
      ...(await preprocessing(options)),
      quantize: quantizeOptions(options),
      target,
      signal: console.signal,
      onProgress: progressOf(console),
    });
    await writeFileAtomically(target, plan);
    console.result({ path: target, sizeBytes: plan.length, warnings: diagnostics });
    if (diagnostics.length > 0) console.say(pc.yellow('warnings:'));
    for (const line of diagnosticLines(diagnostics)) console.say(line);
    console.say(`wrote ${target}: ${bytesText(plan.length)}`);
    return undefined;
  },
};

export const buildAddonVerb: Verb = {
  name: 'build-addon',
  summary: 'compile the native engine for this machine, where the package carries none that fits',
  args: [],
  options: [],
  examples: ['hone build-addon', 'CXX=clang++-19 hone build-addon'],
  async run(_args, _options, console) {
    const built = await buildAddon({
      signal: console.signal,
      onProgress: (done, total) => console.progress('file', done, total),
    });
    console.result(built);
    console.say(`built the native engine with ${built.compiler}: ${built.path}`);
    return undefined;
  },
};

export const doctorVerb: Verb = {
  name: 'doctor',
  summary: 'check what this machine has and what it lacks',
  args: [],
  options: [],
  examples: ['hone doctor'],
  async run(_args, _options, console) {
    const findings = examine();
    const sensors = openMachineSensors().read();
    const complete = findings.every(({ state }) => state !== 'missing');
    console.result({ complete, findings, sensors });
    const marks = { ok: pc.green('ok'), missing: pc.red('missing'), absent: pc.yellow('absent') };
    // Colour codes take no room on the screen: the words are padded first.
    const mark = (state: keyof typeof marks) => marks[state] + ' '.repeat('missing'.length - state.length);
    const rows: [string, string][] = [
      ...findings.map(({ what, state, detail }): [string, string] => [what, `${mark(state)}  ${detail}`]),
      ...sensors.map((reading): [string, string] => [
        reading.name,
        `${mark(reading.value === null ? 'absent' : 'ok')}  ${reading.value === null ? reading.reason : readingText(reading)}`,
      ]),
    ];
    for (const line of pairs(rows)) console.say(line);
    console.say(complete ? 'nothing that Hone needs is missing' : 'something that Hone needs is missing');
    return complete ? 0 : 1;
  },
};
