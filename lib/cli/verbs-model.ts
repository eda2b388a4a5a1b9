import pc from 'picocolors';
import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import { openArtifact } from '../jobs/artifact';
import { compress } from '../jobs/compress';
import { examine } from '../jobs/doctor';
import { inspect } from '../jobs/inspect';
import { compileModel, makePlan, requireModel } from '../jobs/make-plan';
import { writeFileAtomically } from '../jobs/write-file';
import { writeModel } from '../onnx/write-model';
import { bytesText, table } from './console';
import { COMMON, preprocessing, QUANTIZE, quantizeOptions, text } from './options';
import type { Verb } from './verb';

const MODEL = { name: '<model>', description: 'an ONNX model, float or quantized, or a compiled plan' };

export const inspectVerb: Verb = {
  name: 'inspect',
  summary: 'show inputs, outputs, operators, cost, and what the engine lacks',
  args: [MODEL],
  options: [],
  examples: ['hone inspect model.onnx'],
  async run([path], _options, console) {
    const found = inspect(await openArtifact(path));
    console.result(found);
    console.say(`${path}: ${bytesText(found.sizeBytes)}, sha256 ${found.sha256.slice(0, 12)}`);
    if (found.plan !== undefined) console.say(found.plan);
    if (found.model === undefined) return undefined;
    const { model } = found;
    const opsets = Object.entries(model.opsets).map(([domain, version]) => `${domain} ${version}`);
    console.say(`IR ${model.irVersion}, opset ${opsets.join(', ')}${model.quantized ? ', quantized' : ''}`);
    for (const { name, type, shape } of model.inputs) console.say(`input   ${name}: ${type} ${shape}`);
    for (const { name, type, shape } of model.outputs) console.say(`output  ${name}: ${type} ${shape}`);
    console.say(
      `${model.parameters.toLocaleString('en')} parameters, ${(model.macs / 1e6).toPrecision(3)} M MAC per sample`,
    );
    const counts = Object.entries(model.operators).sort((a, b) => b[1] - a[1]);
    console.say(`nodes   ${counts.map(([op, count]) => `${op} ${count}`).join(', ')}`);
    if (model.missing.length === 0) console.say(pc.green('runs wholly on the native engine'));
    else {
      console.say(pc.yellow(`the native engine lacks ${model.missing.length} node(s); use --executor onnxruntime:`));
      console.say(formatDiagnostics(model.missing));
    }
    return undefined;
  },
};

export const compressVerb: Verb = {
  name: 'compress',
  summary: 'quantize a float model to int8 with calibration samples',
  args: [MODEL],
  options: [
    COMMON.data,
    { flags: '--out <path>', description: 'file to write; <model>.int8.onnx when left out' },
    COMMON.preprocess,
    ...QUANTIZE,
  ],
  examples: [
    'hone compress model.onnx --data calib.npz',
    'hone compress model.onnx --data calib.npz --estimator entropy --equalize',
  ],
  async run([path], options, console) {
    const model = requireModel(await openArtifact(path), 'compress');
    const target = text(options, 'out') ?? path.replace(/(\.onnx)?$/, '.int8.onnx');
    const { graph, report } = await compress(model, {
      data: required(options.data, '--data', 'compress'),
      ...(await preprocessing(options)),
      quantize: quantizeOptions(options),
      target,
      signal: console.signal,
      onProgress: ({ stage, done, total }) => console.progress(stage, done, total),
    });
    const bytes = writeModel(graph);
    await writeFileAtomically(target, bytes);
    console.result({ path: target, sizeBytes: bytes.length, report });
    const rows = report.layers.map(({ name, op, sqnrDb }) => [name, op, sqnrDb.toFixed(1)]);
    for (const line of table([['layer', 'op', 'SQNR dB'], ...rows])) console.say(line);
    for (const { name, reason } of report.skipped) console.say(`stays float: ${name}: ${reason}`);
    const logits = report.outputs.map(({ name, sqnrDb }) => `${name} ${sqnrDb.toFixed(1)} dB`).join(', ');
    console.say(`calibrated with ${report.samples.calibration} samples; SQNR of outputs: ${logits}`);
    console.say(`wrote ${target}: ${bytesText(bytes.length)} (float ${bytesText(model.bytes.length)})`);
    return undefined;
  },
};

export const compileVerb: Verb = {
  name: 'compile',
  summary: 'compile a model to a plan for the native engine',
  args: [MODEL],
  options: [
    { flags: '--out <path>', description: 'file to write; <model>.plan when left out' },
    COMMON.calibration,
    COMMON.preprocess,
  ],
  examples: ['hone compile model.int8.onnx', 'hone compile model.onnx --calibration calib.npz'],
  async run([path], options, console) {
    const model = requireModel(await openArtifact(path), 'compile');
    const target = text(options, 'out') ?? path.replace(/(\.onnx)?$/, '.plan');
    const calibration = text(options, 'calibration');
    let plan: Uint8Array;
    let warnings = '';
    if (calibration === undefined) {
      const compiled = compileModel(model, target);
      plan = compiled.plan;
      warnings = formatDiagnostics(compiled.diagnostics);
    } else {
      const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) =>
        console.progress(stage, done, total);
      plan = await makePlan(model, {
        data: calibration,
        target,
        ...(await preprocessing(options)),
        onProgress,
        signal: console.signal,
      });
    }
    await writeFileAtomically(target, plan);
    console.result({ path: target, sizeBytes: plan.length, warnings: warnings === '' ? [] : warnings.split('\n') });
    if (warnings !== '') console.say(warnings);
    console.say(`wrote ${target}: ${bytesText(plan.length)}`);
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
    console.result(findings);
    const marks = { ok: pc.green('ok     '), missing: pc.red('missing'), absent: pc.yellow('absent ') };
    for (const { what, state, detail } of findings) console.say(`${marks[state]}  ${what}: ${detail}`);
    return findings.some(({ state }) => state === 'missing') ? 1 : 0;
  },
};

/** The value of an option that a verb cannot do without. */
export function required(value: unknown, option: string, verb: string): string {
  if (typeof value === 'string') return value;
  throw new HoneError('E_USAGE', { reason: `missing option ${option}`, verb });
}
