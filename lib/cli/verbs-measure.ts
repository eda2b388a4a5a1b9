import { toNumbers } from '../ir/tensor';
import { openArtifact } from '../jobs/artifact';
import { bench, type Latency } from '../jobs/bench';
import { evaluateArtifact, largest, type Measured } from '../jobs/evaluate';
import { runOnce } from '../jobs/run';
import { percentText, table, timeText } from './console';
import { COMMON, executor, integer, preprocessing, text, threads } from './options';
import type { OptionValues, Verb } from './verb';
import { required } from './verbs-model';

const MODEL = { name: '<model>', description: 'an ONNX model, float or quantized, or a compiled plan' };

function calibration(options: OptionValues): { calibration?: string } {
  const found = text(options, 'calibration');
  return found === undefined ? {} : { calibration: found };
}

export const runVerb: Verb = {
  name: 'run',
  summary: 'run one sample and print the outputs',
  args: [MODEL],
  options: [
    { flags: '--input <path>', description: 'where the sample comes from; random numbers when left out' },
    { flags: '--sample <n>', description: 'index of the sample', default: '0' },
    { flags: '--seed <n>', description: 'seed of the random numbers', default: '0' },
    COMMON.calibration,
    COMMON.preprocess,
    COMMON.executor,
    COMMON.threads,
  ],
  examples: ['hone run model.plan --input test.npz --sample 7'],
  async run([path], options, console) {
    const input = text(options, 'input');
    const outputs = await runOnce(await openArtifact(path), {
      ...(input === undefined ? {} : { input }),
      sample: integer(options, 'sample', 0, 2 ** 31) ?? 0,
      seed: integer(options, 'seed', 0, 2 ** 32 - 1) ?? 0,
      ...calibration(options),
      ...(await preprocessing(options)),
      executor: executor(options),
      threads: threads(options),
    });
    const values = new Map([...outputs].map(([name, tensor]) => [name, { ...tensor, values: toNumbers(tensor) }]));
    console.result(
      Object.fromEntries(
        [...values].map(([name, { type, dims, values: data }]) => [name, { type, shape: dims, data }]),
      ),
    );
    for (const [name, { type, dims, values: data }] of values) {
      console.say(`${name}: ${type} [${dims.join(', ')}], largest at ${largest(data)}`);
      const shown = data.slice(0, 16).map((value) => (Number.isInteger(value) ? String(value) : value.toPrecision(6)));
      console.say(`  ${shown.join(' ')}${data.length > 16 ? ` ... (${data.length} values)` : ''}`);
    }
    return undefined;
  },
};

export const evalVerb: Verb = {
  name: 'eval',
  summary: 'accuracy on labelled samples, agreement and SQNR against the float model',
  args: [MODEL],
  options: [
    COMMON.data,
    COMMON.calibration,
    { flags: '--float <path>', description: 'float model to compare with; found by the metadata when left out' },
    COMMON.preprocess,
    COMMON.executor,
    COMMON.threads,
  ],
  examples: ['hone eval model.int8.onnx --data test.npz', 'hone eval model.plan --data test.npz --json'],
  async run([path], options, console) {
    const float = text(options, 'float');
    const found = await evaluateArtifact(await openArtifact(path), {
      data: required(options.data, '--data', 'eval'),
      ...calibration(options),
      ...(float === undefined ? {} : { float }),
      ...(await preprocessing(options)),
      executor: executor(options),
      threads: threads(options),
      signal: console.signal,
      onProgress: (done, total) => console.progress('eval', done, total),
    });
    console.result(found);
    const show = <T>(what: string, measured: Measured<T>, format: (value: T) => string): void =>
      console.say(
        `${what.padEnd(16)}${measured.value === null ? `unknown: ${measured.reason}` : format(measured.value)}`,
      );
    console.say(`${'samples'.padEnd(16)}${found.samples} (${found.executor})`);
    const interval = found.accuracyInterval95.value;
    const range = interval === null ? '' : ` (95 %: ${percentText(interval[0])} to ${percentText(interval[1])})`;
    show('accuracy', found.accuracy, (value) => percentText(value) + range);
    show('float accuracy', found.floatAccuracy, percentText);
    show(
      'drop',
      found.drop,
      ({ mean, standardError }) => `${(100 * mean).toFixed(2)} ± ${(100 * standardError).toFixed(2)} points`,
    );
    show('agreement', found.agreement, percentText);
    show('SQNR', found.sqnrDb, (value) => `${value.toFixed(1)} dB`);
    return undefined;
  },
};

export const benchVerb: Verb = {
  name: 'bench',
  summary: 'latency of the native engine beside onnxruntime, interleaved',
  args: [MODEL],
  options: [
    { flags: '--pairs <n>', description: 'runs of each to time', default: '200' },
    COMMON.calibration,
    COMMON.preprocess,
    COMMON.threads,
  ],
  examples: ['hone bench model.int8.onnx --pairs 1000'],
  async run([path], options, console) {
    const { calibration: data } = calibration(options);
    const found = await bench(await openArtifact(path), {
      pairs: integer(options, 'pairs', 1, 1e7) ?? 200,
      threads: threads(options),
      ...(data === undefined ? {} : { data }),
      ...(await preprocessing(options)),
      signal: console.signal,
    });
    console.result(found);
    const row = (name: string, { p50Us, p90Us, p99Us }: Latency) => [
      name,
      timeText(p50Us),
      timeText(p90Us),
      timeText(p99Us),
    ];
    const rows = [['', 'p50', 'p90', 'p99'], row('native', found.native)];
    if (!('reason' in found.onnxruntime)) rows.push(row('onnxruntime', found.onnxruntime));
    for (const line of table(rows)) console.say(line);
    if ('reason' in found.onnxruntime) console.say(`onnxruntime: ${found.onnxruntime.reason}`);
    else
      console.say(
        `native ÷ onnxruntime: ${found.ratio?.toFixed(3)} (median of ${found.pairs} pairs, ${found.threads} thread(s))`,
      );
    return undefined;
  },
};
