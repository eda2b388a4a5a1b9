import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HoneError } from '../../core/error';
import { printable } from '../../core/printable';
import { type Destination, destinationText } from '../destination';
import { shellQuote } from '../shell-quote';
import type { LinkFailure } from './process-link';

/** What OpenSSH says, as a code of ours; the first that matches holds. */
const SAID: readonly (readonly [pattern: RegExp, code: 'E_BOARD_UNREACHABLE' | 'E_BOARD_LOGIN' | 'E_BOARD_TIMEOUT'])[] =
  [
    [/Could not resolve hostname|Name or service not known/i, 'E_BOARD_UNREACHABLE'],
    [/Connection refused|No route to host|Network is unreachable|Host is down/i, 'E_BOARD_UNREACHABLE'],
    [/Permission denied \(|Too many authentication failures|No more authentication methods/i, 'E_BOARD_LOGIN'],
    [/Connection timed out|Operation timed out|not responding/i, 'E_BOARD_TIMEOUT'],
  ];

/** The error of an ssh process that failed. */
export async function explainSsh(destination: Destination, failure: LinkFailure): Promise<HoneError> {
  const board = destinationText(destination);
  const { begun, code, stderr, startError } = failure;
  if (startError !== undefined) {
    const absent = (startError as NodeJS.ErrnoException).code === 'ENOENT';
    return new HoneError('E_BOARD_LINK', {
      board,
      reason: absent ? 'there is no ssh on this machine' : startError.message,
    });
  }
  if (begun) {
    const reason = lastLine(stderr) || 'the connection ended before the command did';
    return new HoneError('E_BOARD_DROPPED', { board, reason });
  }
  const changed = await changedKey(stderr);
  if (changed !== undefined) return new HoneError('E_BOARD_HOST_KEY', { board, ...changed });
  if (/Host key verification failed|No \S+ host key is known/.test(stderr)) {
    const login = shellQuote(board).slice(1, -1);
    return new HoneError('E_BOARD_HOST_NEW', { board, command: `ssh ${login} true` });
  }
  for (const [pattern, known] of SAID) {
    const line = stderr.split('\n').find((each) => pattern.test(each));
    if (line !== undefined) return new HoneError(known, { board, reason: shorter(line) });
  }
  if (code !== 255) {
    const reason = lastLine(stderr) || `the login ended with exit code ${code}`;
    return new HoneError('E_BOARD_SHELL', { board, reason });
  }
  return new HoneError('E_BOARD_LINK', { board, reason: lastLine(stderr) || 'ssh ended without a word' });
}

/** Old and new fingerprint of a host whose key is another than the known one, and how to forget the known one. */
async function changedKey(stderr: string): Promise<{ old: string; fresh: string; command: string } | undefined> {
  if (!stderr.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) return undefined;
  const fresh = /^(?:SHA256|MD5):[A-Za-z0-9+/=:]{1,100}(?=\.?\r?$)/m.exec(stderr)?.[0] ?? 'unknown';
  const name = /^Host key for (.+) has changed/m.exec(stderr)?.[1];
  const offending = /^Offending (?:\S+ )?key in (.+):(\d+)\r?$/m.exec(stderr);
  const path = offending?.[1];
  const old = path === undefined ? undefined : await fingerprintIn(path, Number(offending![2]));
  const file = path === undefined ? '' : ` -f ${shellQuote(path)}`;
  const host = name === undefined ? 'HOST' : shellQuote(name);
  return { old: old ?? 'unknown', fresh, command: printable(`ssh-keygen -R ${host}${file}`, 1000) };
}

/** Fingerprint of the key that a line of a file of known hosts holds. */
async function fingerprintIn(path: string, line: number): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const words = (text.split('\n')[line - 1] ?? '').trim().split(/\s+/);
  // A marker such as @cert-authority may stand first.
  const key = words[words[0]?.startsWith('@') ? 3 : 2];
  if (key === undefined || !/^[A-Za-z0-9+/]+=*$/.test(key)) return undefined;
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

function lastLine(stderr: string): string {
  return shorter(stderr.trimEnd().split('\n').at(-1) ?? '');
}

function shorter(line: string): string {
  return printable(line.replace(/^ssh: /, ''), 200);
}
