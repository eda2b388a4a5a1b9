import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** `describe` where OpenSSH's server is installed, else `describe.skip`, so that skipped tests stay visible by name. */
export function describeWithSsh(name: string, tests: () => void): void {
  if (SSHD === undefined) describe.skip(`${name} (Debian package openssh-server)`, tests);
  else describe(name, tests);
}

/** A server of OpenSSH on loopback for the user of the tests, whose home is a folder of its own. */
export interface SshServer {
  readonly port: number;
  readonly host: string;
  /** Folder of keys and configuration. */
  readonly folder: string;
  /** HOME of what runs over it. */
  readonly home: string;
  /** The client's configuration: knows the host, has the key, and reads nothing of the user's. */
  readonly config: string;
  readonly knownHosts: string;
  /** Ends all that runs over it now, as a link does that breaks. */
  drop(): void;
  /** Makes a key pair beside the server's. */
  makeKey(name: string): string;
  close(): Promise<void>;
}

export interface SshServerOptions {
  /** Variables of what runs over it, beside HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** More lines of the server's configuration. */
  readonly settings?: readonly string[];
}

export async function startSshServer({ env = {}, settings = [] }: SshServerOptions = {}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-sshd-'));
  const home = join(folder, 'home');
  mkdirSync(home);
  // Where a server that root runs leaves its rights.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const makeKey = (name: string): string => {
    const path = join(folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path]);
    return path;
  };
  const [hostKey, userKey] = ['host', 'user'].map(makeKey);
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${userKey}.pub`), { mode: 0o600 });
  const port = await freePort();
  const variables = Object.entries({ HOME: home, ...env }).map(([key, value]) => `${key}=${value}`);
  writeFileSync(
    join(folder, 'sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      `SetEnv ${variables.map((variable) => `"${variable}"`).join(' ')}`,
      ...[
        'UsePAM no',
        'StrictModes no',
        'PidFile none',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
      ],
      ...['PermitRootLogin yes', 'UseDNS no', 'PrintMotd no', 'MaxStartups 100', ...settings],
    ].join('\n'),
  );
  const knownHosts = join(folder, 'known_hosts');
  const [type, key] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
  writeFileSync(knownHosts, `# of the tests\n[127.0.0.1]:${port} ${type} ${key}\n`);
  const config = join(folder, 'ssh_config');
  writeFileSync(
    config,
    [
      'Host board',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  HostKeyAlias [127.0.0.1]:${port}`,
      'Host *',
      `  User ${userInfo().username}`,
      `  IdentityFile ${userKey}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${knownHosts}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking yes',
    ].join('\n'),
  );
  const server = spawn(SSHD!, ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  while (!log.includes('Server listening')) {
    if (server.exitCode !== null) throw new Error(`sshd ended: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    port,
    host: '127.0.0.1',
    folder,
    home,
    config,
    knownHosts,
    makeKey,
    drop() {
      for (const pid of descendants(server.pid!)) kill(pid);
    },
    async close() {
      const closed = new Promise((resolve) => server.once('close', resolve));
      for (const pid of descendants(server.pid!)) kill(pid);
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Children of a process, and theirs. */
function descendants(pid: number): number[] {
  const rows = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
