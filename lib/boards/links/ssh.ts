import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Destination } from '../destination';
import type { Link } from '../link';
import { shellQuote } from '../shell-quote';
import { processLink } from './process-link';
import { explainSsh } from './ssh-failure';

export interface SshOptions {
  /** A configuration file instead of the user's own; HONE_SSH_CONFIG when left out. */
  readonly config?: string;
  /** Whether ssh may ask for a password or a passphrase; where a terminal is when left out. */
  readonly interactive?: boolean;
}

type SshDestination = Extract<Destination, { kind: 'ssh' }>;

/**
 * A link over the system's OpenSSH: the user's configuration, agents, jump hosts and known hosts all hold. One ssh process carries
 * one script.
 */
export function sshLink(destination: SshDestination, options: SshOptions = {}): Link {
  return processLink({
    destination,
    start: (script) => startSsh(sshArguments(destination, script, options)),
    explain: (failure) => explainSsh(destination, failure),
    isOwnCode: (code) => code === 255,
  });
}

function startSsh(words: readonly string[]): ChildProcessWithoutNullStreams {
  // Its messages are read here, so they are wanted in English.
  return spawn('ssh', words, { stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } });
}

/** The words that ssh is started with. */
export function sshArguments(destination: SshDestination, script: string, options: SshOptions = {}): string[] {
  const { config = process.env.HONE_SSH_CONFIG, interactive = process.stdin.isTTY === true } = options;
  const { host, user, port } = destination;
  const settings = {
    BatchMode: interactive ? 'no' : 'yes',
    // Less would keep back why a login failed.
    LogLevel: 'INFO',
    // A host that went away is noticed within 15 s.
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    ConnectTimeout: '15',
    // What a configuration may ask for beside a plain command.
    RemoteCommand: 'none',
    ClearAllForwardings: 'yes',
  };
  return [
    '-T',
    ...(config ? ['-F', config] : []),
    ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    user === undefined ? host : `${user}@${host}`,
    `exec sh -c ${shellQuote(script)}`,
  ];
}
