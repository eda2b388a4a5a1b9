import { type ErrorDetails, HoneError } from '../core/error';
import type { ErrorCode } from '../core/error-table';
import type { BoardFacts } from './facts';

/** What stands in the way on a board, or should be known. */
export interface BoardFinding {
  /** Whether Hone cannot be installed there as long as it holds. */
  readonly fatal: boolean;
  readonly error: HoneError;
}

/** Oldest libraries of C and C++ that the addon runs with, and the oldest Node. */
export const FLOOR = { glibc: '2.28', glibcxx: '3.4.25', node: '20.15.0' };
/** Bytes that an installation takes: Node, agent, and the copy that an update lies beside. */
const SPACE_BYTES = 300e6;
const MEMORY_BYTES = 200e6;
/** Seconds that a clock may be off. */
const CLOCK_SECONDS = 60;
/** Filesystems that forget. */
const VOLATILE = new Set(['tmpfs', 'ramfs', 'overlay', 'aufs', 'rootfs']);

export interface FindingOptions {
  readonly port: number;
  /** When the board was asked, in seconds of the host's clock: before and after. */
  readonly asked: readonly [before: number, after: number];
}

/** What of these facts keeps Hone from a board, then what should be known of it. */
export function findingsOf(board: string, facts: BoardFacts, { port, asked }: FindingOptions): BoardFinding[] {
  const findings: BoardFinding[] = [];
  const add = (fatal: boolean, code: ErrorCode, details: ErrorDetails) =>
    findings.push({ fatal, error: new HoneError(code, { board, ...details }) });
  const refuse = (code: ErrorCode, details: ErrorDetails) => add(true, code, details);
  const warn = (code: ErrorCode, details: ErrorDetails) => add(false, code, details);
  const { folder, libc } = facts;

  const machine = architectureFault(facts);
  if (machine !== undefined) refuse('E_BOARD_ARCHITECTURE', { reason: machine });
  // Other systems have other libraries, which say nothing.
  else if (libc.kind !== 'glibc')
    refuse('E_BOARD_LIBC', { found: libc.kind === 'musl' ? 'musl' : 'no glibc', floor: FLOOR.glibc });
  else if (isOlder(libc.version, FLOOR.glibc))
    refuse('E_BOARD_LIBC', { found: `glibc ${libc.version}`, floor: FLOOR.glibc });
  else if (!facts.libraries.includes('libstdc++.so.6')) refuse('E_BOARD_LIBRARY', { what: 'libstdc++.so.6' });
  else if (isOlder(facts.glibcxx, FLOOR.glibcxx))
    refuse('E_BOARD_LIBRARY', { what: `GLIBCXX_${FLOOR.glibcxx} (its libstdc++ has ${facts.glibcxx} at most)` });
  for (const tool of facts.lacking.filter((name) => name !== 'setsid' && name !== 'nohup' && name !== 'sync'))
    refuse('E_BOARD_TOOL', { tool });

  const place = { folder: folder.path };
  if (folder.fault !== null) refuse('E_BOARD_FOLDER', { ...place, reason: folder.fault });
  else if (!folder.canWrite)
    refuse('E_BOARD_FOLDER', {
      ...place,
      reason: facts.root.readOnly ? 'it is not writable, and the root file system is read-only' : 'it is not writable',
    });
  else if (!folder.canExecute)
    refuse('E_BOARD_FOLDER', { ...place, reason: 'programs may not be run from it (noexec)' });
  if (folder.freeBytes !== null && folder.freeBytes < SPACE_BYTES)
    refuse('E_BOARD_SPACE', { ...place, free: megabytes(folder.freeBytes), needed: megabytes(SPACE_BYTES) });
  if (facts.portTaken && facts.installed.length === 0) refuse('E_BOARD_PORT', { port });

  if (folder.filesystem !== null && VOLATILE.has(folder.filesystem))
    warn('E_BOARD_VOLATILE', {
      ...place,
      what: facts.container ? `${folder.filesystem}, in a container` : folder.filesystem,
    });
  const off = secondsOff(facts.unixSeconds, asked);
  if (Math.abs(off) > CLOCK_SECONDS) warn('E_BOARD_CLOCK', { seconds: off });
  if (facts.selinux === 'enforcing') warn('E_BOARD_SELINUX', {});
  const memory = Math.min(facts.memoryBytes ?? Infinity, facts.cgroupBytes ?? Infinity);
  if (memory < MEMORY_BYTES) warn('E_BOARD_MEMORY', { found: megabytes(memory), needed: megabytes(MEMORY_BYTES) });
  const restart = restartFault(facts);
  if (restart !== undefined) warn('E_BOARD_START', restart);
  const held = throttling(facts.throttled ?? 0);
  if (held.length > 0) warn('E_BOARD_THROTTLED', { reason: held.join(', ') });
  return findings;
}

function architectureFault({ system, machine, bits }: BoardFacts): string | undefined {
  if (system !== 'Linux') return `it runs ${system}`;
  if (machine !== 'aarch64' && machine !== 'x86_64') return `its processor is ${machine}`;
  if (bits === 32) return `its programs are 32-bit ones under a 64-bit kernel (${machine})`;
  return undefined;
}

/** Why the agent does not come back after a restart. */
function restartFault(facts: BoardFacts): { reason: string; advice: string } | undefined {
  if (facts.systemdUser && facts.linger) return undefined;
  if (facts.cron) return undefined;
  if (facts.systemdUser)
    return {
      reason: 'systemd ends what a user runs at logout',
      advice: `Let it be: sudo loginctl enable-linger ${facts.user.name}`,
    };
  return {
    reason: facts.container
      ? 'it is a container without systemd or cron'
      : 'neither `systemd --user` nor cron can be used',
    advice: 'Start it again with `hone deploy`, or from what starts the board.',
  };
}

/** Bits of the firmware of Raspberry Pi. */
function throttling(bits: number): string[] {
  const meanings = [
    [0x1, 'too little voltage'],
    [0x2, 'frequency capped'],
    [0x4, 'throttled'],
    [0x8, 'at its temperature limit'],
  ] as const;
  return meanings.filter(([bit]) => (bits & bit) !== 0).map(([, meaning]) => meaning);
}

/** Seconds that the board's clock is ahead, as far as the time of asking cannot explain. */
function secondsOff(board: number | null, [before, after]: FindingOptions['asked']): number {
  if (board === null) return 0;
  return Math.round(board < before ? board - before : board > after ? board - after : 0);
}

/** Whether a version such as 2.27 is below another; an unknown one is not. */
export function isOlder(version: string | null, floor: string): boolean {
  if (version === null) return false;
  const [own, least] = [version, floor].map((text) => text.split('.').map(Number));
  const at = least.findIndex((part, index) => part !== (own[index] ?? 0));
  return at !== -1 && (own[at] ?? 0) < least[at];
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
