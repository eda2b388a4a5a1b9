import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { asHoneError, HoneError, withHint } from '../core/error';
import { version } from '../engine/version';
import type { AgentPart } from './parts';
import type { FolderSettings } from './serve-folder';

/**
 * The agent as it is put on a board: one file, with the addon beside it.
 *   hone-agent serve --folder F [--host ADDRESS] [--port N] [--cores N] [--threads N] [--queue N] [--timeout MS]
 *   hone-agent --stdio --folder F
 *   hone-agent measure PLAN       (measure/measure-main.ts)
 *   hone-agent --version
 * It prints to standard output what happens, or with `--stdio` frames alone. Exit codes: 0; 1 for an error; 64 for a wrong command line.
 */
const WRONG_USE = 64;

const PARTS: Readonly<Record<AgentPart, () => unknown>> = {
  worker: () => require('./worker/main'),
  'json-thread': () => require('./front/json-thread-main'),
  measure: () => require('./measure/measure-main'),
};

async function main(): Promise<void> {
  const { values, positionals } = commandLine(process.argv.slice(2));
  if (values.version) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const [role, stranger] = positionals;
  if (stranger !== undefined) throw wrongUse(`'${stranger}' is one word too many`);
  if (values.folder === undefined) throw wrongUse('--folder is missing');
  if (role === 'serve' && !values.stdio) return serve(values.folder, settingsOf(values));
  if (role === undefined && values.stdio) return speak(values.folder);
  throw wrongUse('expected one of serve, --stdio, --version');
}

const OPTIONS = {
  version: { type: 'boolean' },
  stdio: { type: 'boolean' },
  folder: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  cores: { type: 'string' },
  threads: { type: 'string' },
  queue: { type: 'string' },
  timeout: { type: 'string' },
} as const;

type Values = { readonly [K in keyof typeof OPTIONS]?: string | boolean };

/** @throws E_USAGE */
function commandLine(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw wrongUse((error as Error).message);
  }
}

function wrongUse(reason: string): HoneError {
  return new HoneError('E_USAGE', { reason, verb: 'deploy' });
}

/** @throws E_OPTION_VALUE */
function settingsOf(values: Values): FolderSettings {
  const [port, cores, threads] = [whole(values, 'port', 0, 65535), whole(values, 'cores'), whole(values, 'threads')];
  const [queue, timeoutMs] = [whole(values, 'queue'), whole(values, 'timeout')];
  return {
    ...(typeof values.host === 'string' ? { host: values.host } : {}),
    ...(port === undefined ? {} : { port }),
    ...(cores === undefined ? {} : { cores }),
    ...(threads === undefined ? {} : { threads }),
    ...(queue === undefined ? {} : { queue }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** A number of an option; what it may be further is checked where it is used. */
function whole(values: Values, option: keyof Values, low = 1, high = 1e9): number | undefined {
  const text = values[option];
  if (typeof text !== 'string') return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  const expected = `a whole number from ${low} to ${high}`;
  throw new HoneError('E_OPTION_VALUE', { option: `--${option}`, expected, found: text });
}

async function serve(folder: string, settings: FolderSettings): Promise<void> {
  const { serveFolder } = require('./serve-folder') as typeof import('./serve-folder');
  // Whoever starts it over a link that ends means it to go on; Node takes back what nohup did.
  process.on('SIGHUP', () => {});
  const agent = await serveFolder(folder, settings);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      say(`${signal}: stopping`);
      void agent.close();
    });
  say(`hone-agent ${version()} serves ${folder} at ${agent.url}, process ${process.pid}`);
  for (const { name, version: number, state, reason } of await agent.index())
    say(`${name} version ${number}: ${state === 'READY' ? 'ready' : reason}`);
}

/** Frames alone go over standard input and output. */
async function speak(folder: string): Promise<void> {
  const { BoardEnd } = require('./stdio/board-end') as typeof import('./stdio/board-end');
  const { input, output } = openStandardStreams();
  const end = await BoardEnd.begin(folder, input, output);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.end());
  await end.over;
}

/** Node writes to a pipe that is its standard output while nothing else goes on; as a socket it does not. */
function openStandardStreams(): { readonly input: Readable; readonly output: Writable } {
  const isStream = (fd: number) => {
    const found = fstatSync(fd);
    return found.isFIFO() || found.isSocket();
  };
  const output = isStream(1) ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout;
  return { input: process.stdin, output };
}

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
}

const part = PARTS[process.argv[2] as AgentPart] as (() => unknown) | undefined;
if (part !== undefined && Object.hasOwn(PARTS, process.argv[2])) {
  process.argv.splice(2, 1);
  part();
} else if (isMainThread) {
  main().catch((error: unknown) => {
    const fault = asHoneError(error);
    process.stderr.write(`${fault.code}: ${withHint(fault)}\n`);
    process.exitCode = fault.code === 'E_USAGE' ? WRONG_USE : 1;
  });
}
