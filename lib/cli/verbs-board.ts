import { connect } from '../client/client';
import { HoneError } from '../core/error';
import { deployLocal, findLocal, stopLocal } from '../jobs/deploy-local';
import { modelName } from '../jobs/model-name';
import { COMMON, INPUTS, integer, MODEL, QUANTIZE, text, threads } from './flags';
import { signalExitCode } from './interrupt';
import { DATA, NAME, planOf } from './made-plan';
import { bytesText } from './text';
import type { OptionValues, Verb } from './verb';
import { watch } from './watch';

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
