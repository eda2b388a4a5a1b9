import { createHash } from 'node:crypto';
import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { boardFault } from './board-fault';
import { folderWord } from './board-folder';
import { destinationText } from './destination';
import type { Link } from './link';
import { removeScript, startScript, stopScript } from './scripts/service-scripts';
import { type BoardFile, boardFile, type SendOptions, type Sent, sendFiles } from './send-files';

/** A file of the agent; `path` is relative to the folder of its program. */
interface ProgramFile {
  readonly path: string;
  readonly mode: number;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** What is put on a board. */
export interface Installation {
  readonly version: string;
  readonly files: readonly ProgramFile[];
  /** The Node that runs it: one that is there, by its path, or one that comes along. */
  readonly node: { readonly path: string } | { readonly binary: BoardBinary };
}

/** A program that comes along. */
export type BoardBinary = Pick<BoardFile, 'sha256' | 'sizeBytes' | 'packed'>;

/** Brings agent and Node to a board; nothing is started. @throws what `sendFiles` throws, E_BOARD_NODE for a path that is none */
export function installAgent(link: Link, installation: Installation, options: SendOptions = {}): Promise<Sent> {
  return sendFiles(link, installedFiles(destinationText(link.destination), installation), options);
}

/** The folder of an agent's program on a board, below that of the installation: another one for other files. */
export function programFolder({ version, files }: Pick<Installation, 'version' | 'files'>): string {
  const digest = createHash('sha256');
  for (const { path, sha256 } of files) digest.update(`${path} ${sha256}\n`);
  return `agent/${version.replace(/[^A-Za-z0-9.-]/g, '-')}-${digest.digest('hex').slice(0, 12)}`;
}

/** The files of an installation, the one that makes the others count last. */
function installedFiles(board: string, { version, files, node }: Installation): BoardFile[] {
  const program = programFolder({ version, files });
  const own = files.map(({ path, mode, bytes }) => boardFile(`${program}/${path}`, mode, bytes));
  const binary = 'binary' in node ? node.binary : undefined;
  const nodePath = binary === undefined ? undefined : `node/${binary.sha256.slice(0, 16)}/node`;
  if ('path' in node && !/^\/[A-Za-z0-9._/+@-]{1,300}$/.test(node.path))
    throw new HoneError('E_BOARD_NODE', {
      board,
      reason: `its path ${printable(node.path, 100)} has characters that a script cannot name`,
      command: 'apt-get install nodejs',
    });
  const command = 'path' in node ? node.path : `"$folder"/${nodePath}`;
  const launcher = [
    '#!/bin/sh',
    '# Runs the agent of Hone in this folder. Written at its installation; `hone board remove` takes it away.',
    'folder=$(cd "$(dirname "$0")" && pwd) || exit 1',
    `exec ${command} "$folder"/${program}/hone-agent.js "$@"`,
    '',
  ].join('\n');
  return [
    ...own,
    ...(binary === undefined ? [] : [{ ...binary, path: nodePath!, mode: 0o700 }]),
    boardFile('hone-agent', 0o700, Buffer.from(launcher)),
  ];
}

/** What runs the agent, and runs it again when the board starts: `session` and `hand` do not. */
export type StartedBy = 'systemd' | 'session' | 'cron' | 'hand';

const STARTED_BY: Readonly<Record<StartedBy, string>> = {
  systemd: "by the user's systemd, which starts it with the board, too",
  session: "by the user's systemd, which ends it at logout: run `sudo loginctl enable-linger` there to let it stay",
  cron: 'by hand, and by cron (@reboot) whenever the board starts',
  hand: 'by hand: nothing starts it again with the board (neither systemd nor cron can be used there); `hone deploy` does',
};

export interface ServiceOptions {
  readonly folder?: string;
  readonly signal?: AbortSignal;
}

export interface StartOptions extends ServiceOptions {
  /** Port of loopback there; 0, or left out, for a free one. */
  readonly port?: number;
  /** More words for `hone-agent serve`, such as `--threads 2`: letters, digits, `-`, `.`, `:`, `,` alone. */
  readonly words?: readonly string[];
}

export interface Started {
  readonly by: StartedBy;
  /** What to tell of how it was started. */
  readonly told: string;
  /** Whether it ran already, with the same program and settings. */
  readonly unchanged: boolean;
}

/**
 * Starts the agent that is installed on a board, anew when program or settings are others; returns when it can be asked.
 * @throws E_AGENT_START with the end of its log, E_BOARD_FOLDER, E_BOARD_FULL, E_BOARD_BUSY, what `Link.run` throws
 */
export async function startAgentOn(
  link: Link,
  { folder, port = 0, words = [], signal }: StartOptions = {},
): Promise<Started> {
  const odd = words.find((word) => !/^[A-Za-z0-9.:,-]{1,100}$/.test(word));
  if (odd !== undefined) throw new HoneError('E_INTERNAL', { message: `a setting of the agent is ${printable(odd)}` });
  const all = ['serve', '--folder', '$F', '--port', String(port), ...words].join(' ');
  const script = startScript({ ...settings(link, folder), words: all });
  const answers = await ask(link, script, folder, signal);
  const by = (Object.keys(STARTED_BY) as StartedBy[]).find((known) => answers.includes(`by ${known}`));
  if (by === undefined || !answers.includes('running')) throw notWhole(link, folder, answers);
  return { by, told: STARTED_BY[by], unchanged: answers.includes('unchanged') };
}

/** Stops the agent of a board until it is started again; false when none ran. */
export async function stopAgentOn(link: Link, { folder, signal }: ServiceOptions = {}): Promise<boolean> {
  return (await ask(link, stopScript(settings(link, folder)), folder, signal)).includes('stopped');
}

export interface Removed {
  /** Whether there was something to remove. */
  readonly removed: boolean;
  /** Names in the folder that are not Hone's and stay. */
  readonly left: readonly string[];
}

/** Undoes an installation: agent, models, logs, what starts it, and the folders that were made for it. */
export async function removeFrom(link: Link, { folder, signal }: ServiceOptions = {}): Promise<Removed> {
  const answers = await ask(link, removeScript(settings(link, folder)), folder, signal);
  const left = answers.filter((line) => line.startsWith('left ')).map((line) => line.slice(5));
  if (!answers.includes('removed') && !answers.includes('absent')) throw notWhole(link, folder, answers);
  return { removed: answers.includes('removed'), left };
}

function settings(link: Link, folder: string | undefined): { folderWord: string; unit: string } {
  const word = folderWord(destinationText(link.destination), folder);
  const tag = folder === undefined ? '' : `-${createHash('sha256').update(word).digest('hex').slice(0, 8)}`;
  return { folderWord: word, unit: `hone-agent${tag}` };
}

/** Runs a script of ours; the lines that it says. @throws the fault that it tells */
async function ask(link: Link, script: string, folder: string | undefined, signal?: AbortSignal): Promise<string[]> {
  const board = destinationText(link.destination);
  const { stdout, stderr } = await link.run(script, {
    timeoutMs: 120_000,
    limitBytes: 64 << 10,
    ...(signal === undefined ? {} : { signal }),
  });
  const answers = stdout
    .toString('utf8')
    .split('\n')
    .map((line) => printable(line, 1000))
    .filter((line) => line !== '');
  const fault = answers.map((line) => /^fault (\w+) (.*)$/.exec(line)).find((found) => found !== null);
  if (fault) throw boardFault(board, folder, fault[1], fault[2]);
  if (answers.length === 0) throw boardFault(board, folder, 'answer', stderr);
  return answers;
}

function notWhole(link: Link, folder: string | undefined, answers: readonly string[]): HoneError {
  return boardFault(destinationText(link.destination), folder, 'answer', `it says ${answers.join(', ')}`);
}
