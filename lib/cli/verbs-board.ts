import { type AgentClient, connect } from '../client/client';
import { HoneError } from '../core/error';
import { type Deployed, deployToBoard } from '../jobs/board/deploy-board';
import { deployLocal, findLocal, localLog, stopLocal } from '../jobs/deploy-local';
import { modelName } from '../jobs/model-name';
import { BOARD, boardOf, withBoard, withBoardAgent } from './board-flag';
import type { Console } from './console';
import { COMMON, INPUTS, integer, MODEL, QUANTIZE, text, threads } from './flags';
import { signalExitCode } from './interrupt';
import { DATA, NAME, planOf } from './made-plan';
import { bytesText } from './text';
import type { Verb } from './verb';
import { watch } from './watch';

export const deployVerb: Verb = {
  args: [{ ...MODEL, name: '[model]' }],
  options: [
    { ...BOARD, description: `${BOARD.description}, which is the default` },
    { flags: '--stop', description: 'stop the agent that runs on this machine' },
    NAME,
    {
      flags: '--port <n>',
      description: 'port on the loopback of a board where its agent serves; a free one when left out',
    },
    {
      flags: '--node <file>',
      description: 'a program `node` (20.15 or newer) for a board that has none, instead of the one of npm',
    },
    DATA,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.threads,
    ...QUANTIZE,
  ],
  examples: [
    'hone deploy model.onnx --data calib.npz --board pi@raspberrypi.local',
    'hone deploy model.onnx --data calib.npz --board local',
    'hone deploy --stop',
  ],
  async run([path], options, console) {
    const board = await boardOf(options);
    if (options.stop === true) {
      if (board !== undefined)
        throw new HoneError('E_USAGE', {
          reason: `--stop is for this machine; on a board use \`hone unload NAME --board ${board.name}\``,
          verb: 'deploy',
        });
      const stopped = await stopLocal();
      console.result({ stopped });
      console.say(stopped ? 'stopped the local agent' : 'no local agent was running');
      return undefined;
    }
    if (path === undefined)
      throw new HoneError('E_USAGE', { reason: "missing required argument 'model'", verb: 'deploy' });
    const port = integer(options, 'port', 0, 65535);
    const node = text(options, 'node');
    const plan = await planOf(path, options, console);
    const model = text(options, 'name') ?? modelName(path);
    if (board !== undefined) {
      const found = await deployToBoard(board, {
        ...{ plan, model, threads: threads(options), signal: console.signal },
        ...(port === undefined ? {} : { port }),
        ...(node === undefined ? {} : { node }),
        onProgress: (stage, done, total) => console.progress(stage, done, total),
        onStep: (step) => console.note(step),
      });
      console.result(found);
      for (const line of deployedLines(found)) console.say(line);
      return found.outputs.equal === false ? 1 : undefined;
    }
    const command = require.resolve('./main');
    const agent = await deployLocal({ plan, model, threads: threads(options), command, signal: console.signal });
    console.result(agent);
    console.say(`deployed ${model} (${bytesText(plan.length)}) to ${agent.url}, process ${agent.pid}`);
    console.say('see it with `hone watch`, end it with `hone deploy --stop`');
    return undefined;
  },
};

function deployedLines({ board, model, planBytes, sentBytes, installed, started, url, outputs }: Deployed): string[] {
  const node = installed?.broughtNode ? ' with a Node.js of its own' : '';
  const sent = sentBytes === planBytes ? '' : `, ${bytesText(sentBytes)} of it on the wire`;
  const same =
    outputs.equal === null
      ? `outputs were not compared: ${outputs.reason}`
      : outputs.equal
        ? 'its outputs equal those of this machine byte for byte'
        : 'ITS OUTPUTS DIFFER from those of this machine: do not use it';
  return [
    ...(installed === null
      ? []
      : [`installed the agent ${installed.version}${node} (${bytesText(installed.sentBytes)} on the wire)`]),
    ...(started === null ? [] : [`started the agent ${started.told}`]),
    `deployed ${model} (${bytesText(planBytes)}${sent}) to ${board}, which serves it at ${url}`,
    same,
    `see it with \`hone watch --board ${board}\`, what it costs with \`hone profile MODEL --board ${board}\``,
  ];
}

export const watchVerb: Verb = {
  args: [{ name: '[url]', description: 'address of the agent; the local one when left out' }],
  options: [BOARD, { flags: '--frames <n>', description: 'end after this many frames' }],
  examples: [
    'hone watch',
    'hone watch --board pi@raspberrypi.local',
    'hone watch http://127.0.0.1:8700 --frames 3 --json',
  ],
  async run([url], options, console) {
    const frames = integer(options, 'frames', 1, 1e9);
    const board = url === undefined ? await boardOf(options) : undefined;
    if (board !== undefined)
      return withBoardAgent(board, console, (client) => show(client, board.name, frames, console));
    const target = url ?? (await findLocal())?.url;
    if (target === undefined)
      throw new HoneError('E_AGENT_UNREACHABLE', { url: 'local', reason: 'none runs on this machine' });
    return show(connect(target), target, frames, console);
  },
};

async function show(client: AgentClient, target: string, frames: number | undefined, console: Console) {
  const shown = await watch(client, frames, console);
  if (console.signal.aborted) console.note(`stopped watching ${target}`);
  else if (shown !== frames) console.note('the agent ended the stream');
  return signalExitCode(console.signal);
}

/** Most lines of the log that are shown, and their default. */
const LINES = { most: 10_000, shown: 50 };

export const logsVerb: Verb = {
  args: [],
  options: [BOARD, { flags: '--lines <n>', description: 'how many of the last lines', default: String(LINES.shown) }],
  examples: ['hone logs --board pi@raspberrypi.local'],
  async run(_args, options, console) {
    const count = integer(options, 'lines', 1, LINES.most) ?? LINES.shown;
    const board = await boardOf(options);
    const lines = board === undefined ? await localLog() : await withBoard(board, console, (agent) => agent.logs());
    const last = lines.slice(-count);
    console.result({ lines: last });
    for (const line of last) console.say(line);
    return undefined;
  },
};
