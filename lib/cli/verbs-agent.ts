import { connect } from '../client/client';
import type { SupervisorClient } from '../client/supervisor-client';
import { findSupervisor } from '../jobs/control-socket';
import type { AgentStatus } from '../protocol/agent-status';
import { BOARD, boardOf, withBoard } from './board-flag';
import type { Console } from './console';
import { text } from './flags';
import { statusLines } from './status-lines';
import type { OptionValues, Verb } from './verb';

const AGENT = { name: '[url]', description: 'address of the agent; the local one when left out' };
const MODEL_NAME = { name: '<model>', description: 'name of the model in URLs' };
const URL_OPTION = { flags: '--url <url>', description: `${AGENT.description}; it must run on this machine` };

export const statusVerb: Verb = {
  args: [AGENT],
  options: [BOARD],
  examples: ['hone status', 'hone status --board pi@raspberrypi.local', 'hone status http://127.0.0.1:8700 --json'],
  async run([url], options, console) {
    const board = url === undefined ? await boardOf(options) : undefined;
    const status =
      board === undefined ? await statusHere(url) : await withBoard(board, console, (agent) => agent.status());
    console.result(status);
    for (const line of statusLines(status)) console.say(line);
    return undefined;
  },
};

async function statusHere(url: string | undefined): Promise<AgentStatus> {
  const agent = url === undefined ? await findSupervisor(undefined, 'status') : connect(url);
  try {
    return await agent.status();
  } finally {
    agent.close();
  }
}

/** Who loads and unloads models: an agent of this machine or of a board. */
type Supervisor = Pick<SupervisorClient, 'load' | 'unload' | 'list'>;

/** Does something with the supervisor that the options mean. */
async function withSupervisor<T>(
  verb: string,
  options: OptionValues,
  console: Console,
  use: (supervisor: Supervisor) => Promise<T>,
): Promise<T> {
  const url = text(options, 'url');
  const board = url === undefined ? await boardOf(options) : undefined;
  if (board !== undefined) return withBoard(board, console, use);
  const supervisor = await findSupervisor(url, verb);
  try {
    return await use(supervisor);
  } finally {
    supervisor.close();
  }
}

export const loadVerb: Verb = {
  args: [MODEL_NAME],
  options: [{ flags: '--version <text>', description: 'version to load; the newest when left out' }, BOARD, URL_OPTION],
  examples: ['hone load faces', 'hone load faces --version 2'],
  async run([model], options, console) {
    const version = text(options, 'version');
    const entries = await withSupervisor('load', options, console, async (supervisor) => {
      await supervisor.load(model, version);
      return (await supervisor.list()).filter(({ name }) => name === model);
    });
    console.result({ model, versions: entries });
    const ready = entries.filter(({ state }) => state === 'READY').map((entry) => entry.version);
    console.say(`serving ${model} version ${ready.join(', ')}`);
    return undefined;
  },
};

export const unloadVerb: Verb = {
  args: [MODEL_NAME],
  options: [{ flags: '--version <text>', description: 'version to unload; all when left out' }, BOARD, URL_OPTION],
  examples: ['hone unload faces', 'hone unload faces --version 1'],
  async run([model], options, console) {
    const version = text(options, 'version');
    const entries = await withSupervisor('unload', options, console, async (supervisor) => {
      await supervisor.unload(model, version);
      return (await supervisor.list()).filter(({ name }) => name === model);
    });
    console.result({ model, versions: entries });
    const ready = entries.filter(({ state }) => state === 'READY').map((entry) => entry.version);
    console.say(`${model}: ${ready.length === 0 ? 'no version is served' : `serving version ${ready.join(', ')}`}`);
    return undefined;
  },
};
