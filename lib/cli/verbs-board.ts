import { startAgent } from '../agent/agent';
import { connect } from '../client/client';
import { HoneError } from '../core/error';
import { modelName } from '../jobs/artifact';
import { deployLocal, findLocal, stopLocal } from '../jobs/deploy-local';
import { makePlan } from '../jobs/make-plan';
import { version } from '../jobs/version';
import { writeFileAtomically } from '../jobs/write-file';
import type { Console } from './console';
import {
  COMMON,
  INPUTS,
  integer,
  MODEL,
  openModel,
  preprocessing,
  QUANTIZE,
  quantizeFlags,
  text,
  threads,
  watched,
} from './flags';
import { signalExitCode } from './interrupt';
import { bytesText } from './text';
import type { OptionValues, Verb } from './verb';
import { watch } from './watch';

const NAME = { flags: '--name <name>', description: 'name of the model in URLs; the file name when left out' };
const DATA = { ...COMMON.data, description: COMMON.calibration.description };

async function planOf(path: string, options: OptionValues, console: Console): Promise<Uint8Array> {
  const data = text(options, 'data');
  const { plan } = await makePlan(await openModel(path, options, console), {
    ...(data === undefined ? {} : { data }),
    ...(await preprocessing(options)),
    quantize: quantizeFlags(options),
    ...watched(console),
  });
  return plan;
}

export const serveVerb: Verb = {
  args: [MODEL],
  options: [
    { flags: '--port <n>', description: 'port to listen on; 0 takes a free one', default: '8700' },
    NAME,
    { flags: '--note <path>', description: 'file that gets the address once the agent answers' },
    DATA,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.threads,
    ...QUANTIZE,
  ],
  examples: ['hone serve model.plan', 'hone serve model.onnx --data calib.npz --port 0'],
  async run([path], options, console) {
    const model = text(options, 'name') ?? modelName(path);
    const note = text(options, 'note');
    const agent = await startAgent({
      model,
      port: integer(options, 'port', 0, 65535) ?? 8700,
      threads: threads(options),
      plan: await planOf(path, options, console),
      version: version(),
    });
    try {
      const where = { pid: process.pid, url: agent.url, model };
      if (note !== undefined) await writeFileAtomically(note, JSON.stringify(where));
      console.result(where);
      console.say(`serving ${model} at ${agent.url}`);
      console.say(`  inference  POST ${agent.url}/v2/models/${encodeURIComponent(model)}/infer`);
      console.say(`  metrics    GET  ${agent.url}/metrics`);
      console.say(`  telemetry  GET  ${agent.url}/v1/telemetry`);
      await aborted(console.signal);
    } finally {
      await agent.close();
    }
    console.note(`stopped serving ${model}`);
    // To be told to stop is how a service ends.
    return console.signal.reason === 'SIGTERM' ? 0 : signalExitCode(console.signal);
  },
};

export const deployVerb: Verb = {
  args: [{ ...MODEL, name: '[model]' }],
  options: [
    { flags: '--board <board>', description: 'where to; only `local` (this machine) for now', default: 'local' },
    { flags: '--stop', description: 'stop the agent that runs there' },
    NAME,
    DATA,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.threads,
    ...QUANTIZE,
  ],
  examples: ['hone deploy model.onnx --data calib.npz --board local', 'hone deploy --stop'],
  async run([path], options, console) {
    requireLocal(options);
    if (options.stop === true) {
      const stopped = await stopLocal();
      console.result({ stopped });
      console.say(stopped ? 'stopped the local agent' : 'no local agent was running');
      return undefined;
    }
    if (path === undefined)
      throw new HoneError('E_USAGE', { reason: "missing required argument 'model'", verb: 'deploy' });
    const plan = await planOf(path, options, console);
    const model = text(options, 'name') ?? modelName(path);
    const command = require.resolve('./main');
    const agent = await deployLocal({ plan, model, threads: threads(options), command, signal: console.signal });
    console.result(agent);
    console.say(`deployed ${model} (${bytesText(plan.length)}) to ${agent.url}, process ${agent.pid}`);
    console.say('see it with `hone watch`, end it with `hone deploy --stop`');
    return undefined;
  },
};

export const watchVerb: Verb = {
  args: [{ name: '[url]', description: 'address of the agent; the local one when left out' }],
  options: [
    { flags: '--board <board>', description: 'the board whose agent is meant; only `local` for now', default: 'local' },
    { flags: '--frames <n>', description: 'end after this many frames' },
  ],
  examples: ['hone watch', 'hone watch http://127.0.0.1:8700 --frames 3 --json'],
  async run([url], options, console) {
    requireLocal(options);
    const frames = integer(options, 'frames', 1, 1e9);
    const target = url ?? (await findLocal())?.url;
    if (target === undefined)
      throw new HoneError('E_AGENT_UNREACHABLE', { url: 'local', reason: 'none runs on this machine' });
    const shown = await watch(connect(target), frames, console);
    if (console.signal.aborted) console.note(`stopped watching ${target}`);
    else if (shown !== frames) console.note('the agent ended the stream');
    return signalExitCode(console.signal);
  },
};

function requireLocal(options: OptionValues): void {
  const board = text(options, 'board') ?? 'local';
  if (board !== 'local') throw new HoneError('E_OPTION_VALUE', { option: '--board', expected: 'local', found: board });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}
