import { connect } from '../client/client';
import { findSupervisor } from '../jobs/control-socket';
import { text } from './flags';
import { statusLines } from './status-lines';
import type { Verb } from './verb';

const AGENT = { name: '[url]', description: 'address of the agent; the local one when left out' };
const MODEL_NAME = { name: '<model>', description: 'name of the model in URLs' };
const URL_OPTION = { flags: '--url <url>', description: `${AGENT.description}; it must run on this machine` };

export const statusVerb: Verb = {
  args: [AGENT],
  options: [],
  examples: ['hone status', 'hone status http://127.0.0.1:8700 --json'],
  async run([url], _options, console) {
    const agent = url === undefined ? await findSupervisor(undefined, 'status') : connect(url);
    try {
      const status = await agent.status();
      console.result(status);
      for (const line of statusLines(status)) console.say(line);
    } finally {
      agent.close();
    }
    return undefined;
  },
};

export const loadVerb: Verb = {
  args: [MODEL_NAME],
  options: [{ flags: '--version <text>', description: 'version to load; the newest when left out' }, URL_OPTION],
  examples: ['hone load faces', 'hone load faces --version 2'],
  async run([model], options, console) {
    const version = text(options, 'version');
    const supervisor = await findSupervisor(text(options, 'url'), 'load');
    try {
      await supervisor.load(model, version);
      const entries = (await supervisor.list()).filter(({ name }) => name === model);
      console.result({ model, versions: entries });
      const ready = entries.filter(({ state }) => state === 'READY').map((entry) => entry.version);
      console.say(`serving ${model} version ${ready.join(', ')}`);
    } finally {
      supervisor.close();
    }
    return undefined;
  },
};

export const unloadVerb: Verb = {
  args: [MODEL_NAME],
  options: [{ flags: '--version <text>', description: 'version to unload; all when left out' }, URL_OPTION],
  examples: ['hone unload faces', 'hone unload faces --version 1'],
  async run([model], options, console) {
    const version = text(options, 'version');
    const supervisor = await findSupervisor(text(options, 'url'), 'unload');
    try {
      await supervisor.unload(model, version);
      const entries = (await supervisor.list()).filter(({ name }) => name === model);
      console.result({ model, versions: entries });
      const ready = entries.filter(({ state }) => state === 'READY').map((entry) => entry.version);
      console.say(`${model}: ${ready.length === 0 ? 'no version is served' : `serving version ${ready.join(', ')}`}`);
    } finally {
      supervisor.close();
    }
    return undefined;
  },
};
