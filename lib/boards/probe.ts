import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { folderWord } from './board-folder';
import { destinationText } from './destination';
import { type BoardFacts, parseFacts } from './facts';
import { type BoardFinding, findingsOf } from './findings';
import type { Link } from './link';
import { probeScript } from './scripts/probe-script';

/** What a board is, and what stands in the way there. */
export interface BoardProbe {
  readonly facts: BoardFacts;
  readonly findings: readonly BoardFinding[];
}

export interface ProbeOptions {
  /** Where Hone is or will be installed; `~/.hone`. */
  readonly folder?: string;
  /** Port that the agent will listen on; 0 for any. */
  readonly port?: number;
  readonly signal?: AbortSignal;
}

/** Asks a board what it is. Nothing is changed there. @throws E_BOARD_ANSWER, E_BOARD_FOLDER for a path that is none, what `Link.run` throws */
export async function probeBoard(link: Link, { folder, port = 0, signal }: ProbeOptions = {}): Promise<BoardProbe> {
  const board = destinationText(link.destination);
  const script = probeScript(folderWord(board, folder), port);
  const before = Date.now() / 1000 - 1;
  const { stdout, stderr, code } = await link.run(script, { limitBytes: 256 << 10, ...(signal ? { signal } : {}) });
  const facts = parseFacts(stdout.toString('utf8'));
  if (facts === undefined) {
    const said = printable(stderr, 200) || `it ended with exit code ${code}`;
    throw new HoneError('E_BOARD_ANSWER', { board, reason: `its answer to the probe is not whole (${said})` });
  }
  const asked = [before, Date.now() / 1000 + 1] as const;
  return { facts, findings: findingsOf(board, facts, { port, asked }) };
}

/** Throws the first finding that keeps Hone from a board. */
export function requireFit({ findings }: BoardProbe): void {
  const fatal = findings.find((finding) => finding.fatal);
  if (fatal !== undefined) throw fatal.error;
}

/** What an owner may attach to a bug report: facts and findings without names, paths, users and addresses. */
export function probeReport({ facts, findings }: BoardProbe): object {
  const { folder, node, user, ...rest } = facts;
  const { path: _path, ...place } = folder;
  const { unixSeconds: _time, ...shown } = rest;
  return {
    version: 1,
    facts: {
      ...shown,
      folder: place,
      node: node === null ? null : { version: node.version },
      user: { isRoot: user.id === 0, groups: user.groups.filter((name) => KNOWN_GROUPS.has(name)) },
    },
    findings: findings.map(({ fatal, error }) => ({ fatal, code: error.code })),
  };
}

/** Groups that every system of their kind has: they say what a user may do, not who it is. */
const KNOWN_GROUPS = new Set([
  ...['root', 'sudo', 'wheel', 'adm', 'dialout', 'video', 'render', 'gpio', 'i2c', 'spi', 'input', 'docker', 'users'],
]);
