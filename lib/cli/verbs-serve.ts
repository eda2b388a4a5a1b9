import { open, stat } from 'node:fs/promises';
import { type Agent, type AgentSource, startAgent } from '../agent/agent';
import { readToken } from '../agent/read-token';
import { asHoneError, HoneError, readError } from '../core/error';
import { version } from '../engine/version';
import { makeControlPath, portOf } from '../jobs/control-socket';
import { modelName } from '../jobs/model-name';
import { writeFileAtomically } from '../jobs/write-file';
import type { Console } from './console';
import { COMMON, flag, INPUTS, integer, list, QUANTIZE, text, threads } from './flags';
import { signalExitCode } from './interrupt';
import { DATA, NAME, planOf } from './made-plan';
import type { OptionValues, Verb, VerbOption } from './verb';

/** Options that say how a plan is made of a model: of no use for a folder of plans. */
const MAKING: readonly VerbOption[] = [NAME, DATA, ...INPUTS, COMMON.preprocess, ...QUANTIZE];

export const serveVerb: Verb = {
  args: [{ name: '<model>', description: 'an ONNX model, float or quantized, a compiled plan, or a folder of plans' }],
  options: [
    { flags: '--port <n>', description: 'port to listen on; 0 takes a free one', default: '8700' },
    { flags: '--note <path>', description: 'file that gets the address once the agent answers' },
    { flags: '--cores <n>', description: 'cores that all inferences may take together; those of this machine' },
    COMMON.threads,
    { flags: '--queue <n>', description: 'requests that may wait for a model; 64' },
    {
      flags: '--timeout <ms>',
      description: 'milliseconds within which a request is answered that says nothing else; 10000',
    },
    {
      flags: '--origin <origin>',
      description: 'a web site whose pages may ask, as in http://localhost:3000; once per site',
      repeatable: true,
    },
    {
      flags: '--token-file <path>',
      description: 'file with the token that lets HTTP clients load and unload models; without one none may',
    },
    ...MAKING,
  ],
  examples: [
    'hone serve model.plan',
    'hone serve model.onnx --data calib.npz --port 0',
    'hone serve plans/ --cores 2 --token-file token.txt',
  ],
  async run([path], options, console) {
    const note = text(options, 'note');
    const token = await tokenOf(options);
    const source = await sourceOf(path, options, console);
    const agent = await startAgent({
      ...source,
      ...given('cores', integer(options, 'cores', 1, 1024)),
      ...given('queue', integer(options, 'queue', 1, 10_000)),
      ...given('timeoutMs', integer(options, 'timeout', 1, 3_600_000)),
      ...given('token', token),
      port: integer(options, 'port', 0, 65535) ?? 8700,
      threads: threads(options),
      origins: list(options.origin),
      version: version(),
    });
    await listenForControl(agent, console);
    try {
      const where = { pid: process.pid, url: agent.url, ...(await describe(source, agent)) };
      if (note !== undefined) await writeFileAtomically(note, JSON.stringify(where));
      console.result(where);
      await say(agent, source, console);
      await aborted(console.signal);
    } finally {
      await agent.close();
    }
    console.note(`stopped serving ${nameOf(source)}`);
    // To be told to stop is how a service ends.
    return console.signal.reason === 'SIGTERM' ? 0 : signalExitCode(console.signal);
  },
};

/** @throws E_USAGE for options that a folder has no use for; what making a plan throws */
async function sourceOf(path: string, options: OptionValues, console: Console): Promise<AgentSource> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const given = MAKING.map(({ flags }) => keyOf(flags)).filter(
    (key) => options[key] !== undefined && !(key === 'correctBias' && options[key] === true),
  );
  if (!isFolder) {
    const isReady = given.every((key) => key === 'name') && (await isPlan(path));
    const model = text(options, 'name') ?? modelName(path);
    return { model, plan: isReady ? path : await planOf(path, options, console) };
  }
  const [useless] = given;
  if (useless === undefined) return { folder: path };
  throw new HoneError('E_USAGE', {
    reason: `${flag(useless)} tells how a plan is made of a model, and ${path} is a folder, whose plans are served as they are`,
    verb: 'serve',
  });
}

/** Whether a file begins as a plan: its worker reads it then, and nobody else need. */
async function isPlan(path: string): Promise<boolean> {
  const file = await open(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.toString('latin1', 0, bytesRead) === 'HONEPLAN';
  } finally {
    await file.close();
  }
}

/** The key of an option's value: `skipName` for `--skip-name <globs...>`, `correctBias` for `--no-correct-bias`. */
function keyOf(flags: string): string {
  const word = flags.split(' ')[0].replace(/^--(no-)?/, '');
  return word.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** @throws what `readToken` throws */
async function tokenOf(options: OptionValues): Promise<string | undefined> {
  const path = text(options, 'tokenFile');
  return path === undefined ? undefined : readToken(path, '--token-file');
}

/** Lets `hone load` and `hone unload` reach the agent; where that cannot be it is said, and the agent serves all the same. */
async function listenForControl(agent: Agent, console: Console): Promise<void> {
  try {
    await agent.listenForControl(await makeControlPath(portOf(agent.url)));
  } catch (error) {
    console.note(`\`hone load\` and \`hone unload\` will not reach this agent: ${asHoneError(error).message}`);
  }
}

async function describe(source: AgentSource, agent: Agent): Promise<object> {
  if ('model' in source) return { model: source.model };
  return { folder: source.folder, models: await agent.index() };
}

async function say(agent: Agent, source: AgentSource, console: Console): Promise<void> {
  console.say(`serving ${nameOf(source)} at ${agent.url}`);
  const entries = await agent.index();
  for (const { name, version: number, state, reason } of 'folder' in source ? entries : [])
    console.say(`  ${name} version ${number}: ${state === 'READY' ? 'ready' : reason}`);
  const model = 'model' in source ? encodeURIComponent(source.model) : 'MODEL';
  console.say(`  inference  POST ${agent.url}/v2/models/${model}/infer`);
  console.say(`  metrics    GET  ${agent.url}/metrics`);
  console.say(`  telemetry  GET  ${agent.url}/v1/telemetry`);
  console.say(`supervisor and front are this process, ${process.pid}; workers are its children, under the same user`);
}

function nameOf(source: AgentSource): string {
  return 'model' in source ? source.model : `the plans of ${source.folder}`;
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}
