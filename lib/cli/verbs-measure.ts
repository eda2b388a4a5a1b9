import type { Board } from '../boards/inventory';
import type { AgentClient } from '../client/client';
import type { PictureAnswer } from '../client/infer-picture';
import type { Outputs } from '../client/tensors';
import { decibelsText } from '../compress/quantize/measure-quality';
import { HoneError } from '../core/error';
import { outputsOf } from '../core/output-spec';
import { bench, type Latency } from '../jobs/bench';
import { profileOnBoard } from '../jobs/board/profile-board';
import { type Evaluation, evaluateArtifact } from '../jobs/evaluate';
import { measureLayerTimes, writeLayerTimes } from '../jobs/layer-times';
import { PROFILE_DEFAULTS, profilePlan } from '../jobs/profile';
import { runOnce } from '../jobs/run';
import { largest } from '../telemetry/statistics';
import { BOARD, boardOf, withBoardAgent } from './board-flag';
import type { Console } from './console';
import { decodedLines } from './decoded-lines';
import {
  COMMON,
  executor,
  INPUTS,
  integer,
  MODEL,
  openModel,
  preprocessing,
  requiredFlag,
  text,
  threads,
  watched,
} from './flags';
import { NAME, planOf } from './made-plan';
import { outputValues } from './output-values';
import { errorText } from './step-table';
import { pairs, percentText, table, timeText } from './text';
import type { OptionValues, Verb } from './verb';

/** Values of an output that `run` shows. */
const SHOWN = 16;

function calibration(options: OptionValues): { calibration?: string } {
  const found = text(options, 'calibration');
  return found === undefined ? {} : { calibration: found };
}

export const runVerb: Verb = {
  args: [{ ...MODEL, description: `${MODEL.description}; with --board a picture for a model there` }],
  options: [
    { ...BOARD, description: `${BOARD.description}; its model then answers` },
    { ...NAME, description: 'name of the model on the board; the only one there when left out' },
    { flags: '--input <path>', description: 'where the sample comes from; random numbers when left out' },
    { flags: '--sample <n>', description: 'index of the sample', default: '0' },
    { flags: '--seed <n>', description: 'seed of the random numbers', default: '0' },
    COMMON.calibration,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.outputs,
    COMMON.executor,
    COMMON.threads,
  ],
  examples: [
    'hone run model.plan --input test.npz --sample 7',
    'hone run detector.plan --input street.jpg --outputs outputs.json',
    'hone run street.jpg --board pi@raspberrypi.local',
  ],
  async run([path], options, console) {
    const board = await boardOf(options);
    if (board !== undefined) {
      const { outputs, meaning } = await withBoardAgent(board, console, (client) =>
        askModel(client, path, text(options, 'name')),
      );
      const values = Object.entries(outputs).map(([name, data]) => [name, numbersOf(data)]);
      console.result({ outputs: Object.fromEntries(values), ...(meaning && { decoded: meaning }) });
      const lines = meaning ? decodedLines(meaning) : outputLines(outputs);
      for (const line of lines) console.say(line);
      return undefined;
    }
    const input = text(options, 'input');
    const { outputs, meaning } = await runOnce(await openModel(path, options, console), {
      ...(input === undefined ? {} : { input }),
      sample: integer(options, 'sample', 0, 2 ** 31) ?? 0,
      seed: integer(options, 'seed', 0, 2 ** 32 - 1) ?? 0,
      ...calibration(options),
      ...(await preprocessing(options)),
      executor: executor(options),
      threads: threads(options),
      ...watched(console),
    });
    const values = outputValues(outputs);
    // Where two outputs make one meaning, it stands with the first.
    const numeric = [...values].filter(([, { type }]) => type !== 'string').map(([name]) => name);
    const [described] = meaning ? outputsOf(meaning.spec, numeric).values() : [];
    const entries = [...values].map(([name, value]) => [
      name,
      name === described && meaning ? { ...value, decoded: meaning.decoded } : value,
    ]);
    console.result(Object.fromEntries(entries));
    if (meaning) {
      for (const line of decodedLines(meaning.decoded)) console.say(line);
      return undefined;
    }
    for (const [name, { type, shape, data }] of values)
      for (const line of valueLines(`${name}: ${type} [${shape.join(', ')}]`, data)) console.say(line);
    return undefined;
  },
};

/** An output for people: a head line, then its first values. */
function valueLines(head: string, data: readonly (number | string)[]): string[] {
  const numbers = data.filter((value) => typeof value === 'number');
  const best = numbers.length > 1 ? `, largest is number ${largest(numbers)}` : '';
  const shown = data
    .slice(0, SHOWN)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(Number(value.toPrecision(6)))));
  return [`${head}${best}`, `  ${shown.join(' ')}${data.length > SHOWN ? ` ... (${data.length} values)` : ''}`];
}

function numbersOf(data: Outputs[string]): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}

function outputLines(outputs: Outputs): string[] {
  return Object.entries(outputs).flatMap(([name, data]) => valueLines(name, numbersOf(data)));
}

/** What the model of a board, the only one when it has no name here, says of a picture. @throws E_USAGE, what `inferPicture` throws */
async function askModel(client: AgentClient, picture: string, name: string | undefined): Promise<PictureAnswer> {
  if (name !== undefined) return client.inferPicture(name, picture);
  const { models } = await client.status();
  const names = [...new Set(models.map((model) => model.name))];
  if (names.length === 1) return client.inferPicture(names[0], picture);
  const reason =
    names.length === 0 ? 'the board serves no model' : `the board serves ${names.join(', ')}: name one with --name`;
  throw new HoneError('E_USAGE', { reason, verb: 'run' });
}

export const evalVerb: Verb = {
  args: [MODEL],
  options: [
    COMMON.data,
    COMMON.calibration,
    { flags: '--float <path>', description: 'float model to compare with; found by the metadata when left out' },
    ...INPUTS,
    COMMON.preprocess,
    COMMON.executor,
    COMMON.threads,
  ],
  examples: ['hone eval model.int8.onnx --data test.npz', 'hone eval model.plan --data test.npz --json'],
  async run([path], options, console) {
    const data = requiredFlag(options, 'data', 'eval');
    const float = text(options, 'float');
    const found = await evaluateArtifact(await openModel(path, options, console), {
      data,
      ...calibration(options),
      ...(float === undefined ? {} : { float }),
      ...(await preprocessing(options)),
      executor: executor(options),
      threads: threads(options),
      ...watched(console),
      onProgress: (done, total) => console.progress('samples', done, total),
    });
    console.result(found);
    for (const line of pairs(evaluationRows(found))) console.say(line);
    if (found.saturatingHost) console.say(SATURATING_HOST);
    return undefined;
  },
};

/** Said where the numbers are not those of a plain session. */
const SATURATING_HOST =
  'onnxruntime saturates on this machine (no 8-bit dot products): a default session may give other numbers; these cannot saturate';

function evaluationRows(found: Evaluation): [string, string][] {
  const { task, accuracy, floatAccuracy, drop, dropStandardError, agreement, relativeError, nats, sqnrDb } = found;
  const show = (value: number | null, name: keyof Evaluation['reasons'], format: (value: number) => string) =>
    value === null ? `unknown: ${found.reasons[name]}` : format(value);
  const range = (interval: readonly number[] | null) =>
    interval === null ? '' : ` (95 %: ${interval.map((end) => percentText(end)).join(' to ')})`;
  const points = (share: number) => (100 * share).toFixed(2);
  const accuracies: [string, string][] = [
    ['accuracy', show(accuracy, 'accuracy', (value) => percentText(value) + range(found.accuracyInterval95))],
    ['float accuracy', show(floatAccuracy, 'floatAccuracy', (value) => percentText(value))],
    ['drop', show(drop, 'drop', (value) => `${points(value)} ± ${points(dropStandardError ?? 0)} points`)],
  ];
  const name = task === 'positions' ? 'agreement per position' : 'agreement';
  const agreed: [string, string] = [
    name,
    show(agreement, 'agreement', (value) => percentText(value) + range(found.agreementInterval95)),
  ];
  const error: [string, string] = [
    'relative error',
    show(relativeError, 'relativeError', (value) => errorText(value) + range(found.relativeErrorInterval95)),
  ];
  return [
    ['samples', `${found.samples} (${found.executor})`],
    // Labels would be needed for what is no class per sample; what can be told is told.
    ...(task === 'classes' ? accuracies : []),
    task === 'numbers' ? error : agreed,
    ...(nats === undefined ? [] : [natsRow(found)]),
    ['SQNR', show(sqnrDb, 'sqnrDb', (value) => decibelsText(value))],
  ];
}

function natsRow({ nats, floatNats }: Evaluation): [string, string] {
  const beside = floatNats === undefined ? '' : ` (float ${floatNats.toFixed(4)})`;
  return ['next token', `${nats!.toFixed(4)} nats${beside}`];
}

export const benchVerb: Verb = {
  args: [MODEL],
  options: [
    { ...COMMON.data, description: `${COMMON.data.description}; random numbers when left out` },
    { flags: '--pairs <n>', description: 'runs of each to time', default: '200' },
    COMMON.calibration,
    ...INPUTS,
    COMMON.preprocess,
    { ...COMMON.executor, description: `${COMMON.executor.description}; onnxruntime is then timed alone` },
    COMMON.threads,
    { ...BOARD, description: `${BOARD.description}; the plan is then timed there and here` },
    { flags: '--times <path>', description: 'file to write the time of each layer to, for `target.times` of a recipe' },
  ],
  examples: [
    'hone bench model.int8.onnx --pairs 1000',
    'hone bench model.int8.onnx --board pi@raspberrypi.local',
    'hone bench model.int8.onnx --times model.times.json',
  ],
  async run([path], options, console) {
    const board = await boardOf(options);
    if (board !== undefined) return benchOnBoard(board, path, options, console);
    const data = text(options, 'calibration');
    const samples = text(options, 'data');
    const artifact = await openModel(path, options, console);
    const settings = {
      pairs: integer(options, 'pairs', 1, 1e7) ?? 200,
      executor: executor(options),
      threads: threads(options),
      ...(data === undefined ? {} : { data }),
      ...(samples === undefined ? {} : { samples }),
      ...(await preprocessing(options)),
      ...watched(console),
    };
    const found = await bench(artifact, settings);
    const times = text(options, 'times');
    if (times !== undefined) await writeLayerTimes(times, await measureLayerTimes(artifact, settings));
    console.result(found);
    const row = (name: string, latency: Latency | null) =>
      latency ? [[name, ...[latency.p50Us, latency.p90Us, latency.p99Us].map(timeText)]] : [];
    const rows = [...row('native', found.native), ...row('onnxruntime', found.onnxruntime)];
    for (const line of table([['', 'p50', 'p90', 'p99'], ...rows])) console.say(line);
    for (const [name, reason] of Object.entries(found.reasons)) console.say(`${name} was not timed: ${reason}`);
    const count = `${found.pairs} pairs, ${found.threads} thread${found.threads === 1 ? '' : 's'}`;
    if (times !== undefined) console.say(`wrote ${times}: layer times for \`target.times\` of a recipe`);
    const on = found.instructionSets === null ? '' : ` on ${found.instructionSets}`;
    if (found.ratio === null) console.say(`(${count}${on})`);
    else console.say(`native takes ${found.ratio.toFixed(3)} of the time of onnxruntime${on} (median of ${count})`);
    return undefined;
  },
};

/** Times a plan on a board and on this machine, with random inputs. @throws E_USAGE for what only this machine can do */
async function benchOnBoard(board: Board, path: string, options: OptionValues, console: Console): Promise<undefined> {
  const odd = ['times', 'data'].find((name) => options[name] !== undefined);
  if (odd !== undefined)
    throw new HoneError('E_USAGE', { reason: `--${odd} is for this machine, not a board`, verb: 'bench' });
  const settings = {
    ...{ ...PROFILE_DEFAULTS, threads: threads(options), energy: false, signal: console.signal },
    runs: integer(options, 'pairs', 1, 1e7) ?? PROFILE_DEFAULTS.runs,
  };
  const plan = await planOf(path, { ...options, data: text(options, 'calibration') }, console);
  const there = await profileOnBoard(board, plan, settings);
  const here = await profilePlan(plan, settings);
  const ratio = there.latency.p50Us / here.latency.p50Us;
  console.result({ board: board.name, there: there.latency, here: here.latency, ratio, verdict: there.verdict });
  const rows = [
    [board.name, there],
    ['here', here],
  ] as const;
  const cells = rows.map(([name, { latency, instructionSets }]) => [
    name,
    ...[latency.p50Us, latency.p90Us, latency.p99Us].map(timeText),
    instructionSets,
  ]);
  for (const line of table([['', 'p50', 'p90', 'p99', 'on'], ...cells])) console.say(line);
  console.say(`${board.name} takes ${ratio.toFixed(2)} of this machine's time (${there.latency.count} runs each)`);
  if (there.verdict.verdict === 'disturbed') console.note(`disturbed: ${there.verdict.reasons.join('; ')}`);
  return undefined;
}
