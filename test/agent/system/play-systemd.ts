import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SLOTS, slotGroup, systemPaths } from '../../../lib/agent/system-paths';
import { packageRoot } from '../../../lib/engine/package-root';

/** User numbers of the roles, which are their groups too. */
export interface Users {
  readonly hone: number;
  readonly front: number;
  readonly model: number;
}

/** The mask of new files that a unit has, and what it tells Node. */
function settingsOf(unit: string): { readonly mask: string; readonly flags: readonly string[] } {
  const text = readFileSync(join(packageRoot(), 'deploy', 'systemd', `${unit}.service`), 'utf8');
  const words = /^ExecStart=(.*)$/m.exec(text)![1].split(' ');
  return { mask: /^UMask=(\d+)$/m.exec(text)![1], flags: words.filter((word) => /^--.+=/.test(word)) };
}

/** The unit that runs a script. */
const UNITS: Readonly<Record<string, string>> = {
  'supervisor/supervisor-main.js': 'hone-supervisor',
  'front/front-main.js': 'hone-front',
  'worker/main.js': 'hone-worker@',
};

const script = (name: string) => join(packageRoot(), 'dist', 'lib', 'agent', name);

/** Passes what one socket says on to another, and its end. */
function passBetween(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** A process that has a listening socket at descriptor 3, as systemd hands it over, and the path that leads there. */
function activate(path: string, start: (fd: number) => ChildProcess): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(`${path}.new`, () => {
      const child = start((server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd);
      // The path goes with the server that made it, under the name that it gave.
      renameSync(`${path}.new`, path);
      server.close();
      resolve(child);
    });
  });
}

/**
 * A supervisor, slots and a front as their units run them, in a folder of its own. A socket of systemd is played by one that passes
 * each connection on to a process, which is started for the first and again when it has ended.
 */
export class PlayedSystem {
  readonly folder = mkdtempSync(join(tmpdir(), 'hone-sys-'));
  readonly plans = join(this.folder, 'plans');
  readonly slots = join(this.folder, 'slots');
  readonly runtime = join(this.folder, 'run');
  /** Files as the kernel shows them of the control groups of workers. */
  readonly groups = join(this.folder, 'groups');
  readonly paths = systemPaths(this.runtime);
  /** Processes that were started, the last at the end. */
  readonly supervisors: ChildProcess[] = [];
  readonly workers: ChildProcess[][] = Array.from({ length: SLOTS }, () => []);
  front: ChildProcess | undefined;
  url = '';
  /** All that the processes said. */
  said = '';
  private readonly users: Users | undefined;
  private readonly servers: Server[] = [];
  private readonly env: NodeJS.ProcessEnv;
  private last: Promise<unknown> = Promise.resolve();

  constructor(users?: Users) {
    this.users = users;
    this.env = {
      ...{ PATH: process.env.PATH, HONE_PLANS: this.plans, HONE_SLOTS: this.slots, HONE_RUNTIME: this.runtime },
      ...{ HONE_PORT: '0', HONE_IDLE_MS: '1000', HONE_WORKERS_GROUP: this.groups },
    };
    chmodSync(this.folder, 0o755);
    const { hone, front, model } = this.ids;
    this.make(this.plans, 0o750, hone, hone);
    this.make(this.slots, 0o700, hone, hone);
    this.make(this.runtime, 0o755, hone, hone);
    this.make(join(this.runtime, 'front'), 0o2750, front, hone);
    this.make(join(this.runtime, 'workers'), 0o711, process.getuid!(), process.getgid!());
    this.make(join(this.folder, 'inner'), 0o711, model, model);
  }

  /** Puts plans into the catalogue's folder. */
  catalogue(plans: Readonly<Record<string, Uint8Array>>, models: readonly object[]): void {
    for (const [name, bytes] of Object.entries(plans)) this.own(join(this.plans, name), bytes);
    this.own(join(this.plans, 'catalogue.json'), Buffer.from(JSON.stringify({ models })));
  }

  /** Listens as the socket units do. */
  async listen(): Promise<void> {
    await this.socket(this.paths.supervisor, this.ids.hone, this.ids.front, 0o660, (socket) => {
      this.last = this.last.then(() => this.toSupervisor(socket)).catch(() => socket.destroy());
    });
    for (let slot = 0; slot < SLOTS; slot++) {
      let turn: Promise<unknown> = Promise.resolve();
      await this.socket(this.paths.worker(slot), this.ids.front, this.ids.front, 0o600, (socket) => {
        turn = turn.then(() => this.toWorker(slot, socket)).catch(() => socket.destroy());
      });
    }
  }

  async startFront(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = this.spawn('front/front-main.js', this.ids.front, ['ignore', 'pipe', 'pipe'], [], env);
    this.front = child;
    this.url = await new Promise((resolve, reject) => {
      child.stdout!.on('data', (text: Buffer) => {
        const url = /serving at (\S+)/.exec(String(text))?.[1];
        if (url !== undefined) resolve(url);
      });
      child.once('close', () => reject(new Error(this.said)));
    });
  }

  /** Runs the one-shot of the start of a machine, which wakes the supervisor; what it prints. */
  async recover(): Promise<string> {
    const child = this.spawn('supervisor/supervisor-main.js', this.ids.hone, ['ignore', 'pipe', 'pipe'], ['--recover']);
    let printed = '';
    child.stdout!.on('data', (text: Buffer) => {
      printed += text;
    });
    await once(child, 'close');
    return printed;
  }

  /** Says, as the kernel does, how many workers it has ended for memory. */
  countKills(kills: number): void {
    writeFileSync(join(this.groups, 'memory.events'), `low 0\nhigh 0\nmax 12\noom ${kills}\noom_kill ${kills}\n`);
  }

  /** The last worker of a slot. */
  worker(slot: number): ChildProcess {
    return this.workers[slot].at(-1)!;
  }

  async close(): Promise<void> {
    for (const server of this.servers) server.close();
    const children = [this.front, ...this.supervisors, ...this.workers.flat()].filter((child) => child !== undefined);
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map(ended));
    rmSync(this.folder, { recursive: true });
  }

  /** Number of the users: those of the test where it may have no others. */
  get ids(): Users {
    const own = process.getuid!();
    return this.users ?? { hone: own, front: own, model: own };
  }

  private make(path: string, mode: number, uid: number, gid: number): void {
    mkdirSync(path);
    if (this.users !== undefined) chownSync(path, uid, gid);
    chmodSync(path, mode);
  }

  private own(path: string, bytes: Uint8Array): void {
    writeFileSync(path, bytes, { mode: 0o640 });
    if (this.users !== undefined) chownSync(path, this.ids.hone, this.ids.hone);
  }

  private async socket(path: string, uid: number, gid: number, mode: number, take: (socket: Socket) => void) {
    const server = createServer({ allowHalfOpen: true }, take).listen(path);
    await once(server, 'listening');
    if (this.users !== undefined) chownSync(path, uid, gid);
    chmodSync(path, mode);
    this.servers.push(server);
  }

  private async toSupervisor(socket: Socket): Promise<void> {
    const path = join(this.folder, 'inner', 'supervisor');
    const running = this.supervisors.at(-1);
    if (running === undefined || hasEnded(running)) {
      rmSync(path, { force: true });
      const start = (fd: number) =>
        this.spawn('supervisor/supervisor-main.js', this.ids.hone, ['ignore', 'ignore', 'pipe', fd]);
      this.supervisors.push(await activate(path, start));
    }
    passBetween(socket, dial({ path, allowHalfOpen: true }));
  }

  /** One process at a time: the next connection waits until the last has ended. */
  private async toWorker(slot: number, socket: Socket): Promise<void> {
    const path = join(this.folder, 'inner', `${slot}-${this.workers[slot].length}`);
    const plan = openSync(join(this.slots, String(slot), 'model.plan'), 'r');
    const start = (fd: number) =>
      this.spawn('worker/main.js', this.ids.model, [plan, 'ignore', 'pipe', fd], ['/proc/self/fd/0']);
    const child = await activate(path, start).finally(() => closeSync(plan));
    this.workers[slot].push(child);
    const group = slotGroup(this.groups, slot);
    mkdirSync(group, { recursive: true });
    for (const [file, text] of Object.entries({ 'cgroup.procs': `${child.pid}\n`, 'memory.max': '1073741824\n' }))
      writeFileSync(join(group, file), text);
    passBetween(socket, dial(path));
    await ended(child);
    rmSync(group, { recursive: true });
  }

  /** With the number of the process in LISTEN_PID, as systemd has it. */
  private spawn(
    name: string,
    uid: number,
    stdio: ('ignore' | 'pipe' | number)[],
    args: readonly string[] = [],
    env = {},
  ) {
    const passed = stdio.length > 3 ? 'LISTEN_FDS=1 LISTEN_PID=$$' : '';
    const { mask, flags } = settingsOf(UNITS[name]);
    const child = spawn(
      '/bin/sh',
      ['-c', `umask ${mask}; ${passed} exec "$@"`, 'sh', process.execPath, ...flags, script(name), ...args],
      {
        ...{ stdio, env: { ...this.env, ...env }, cwd: '/' },
        ...(this.users === undefined ? {} : { uid, gid: uid }),
      },
    );
    child.stderr!.on('data', (text: Buffer) => {
      this.said += text;
    });
    return child;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Settles when a process has ended. */
export async function ended(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await once(child, 'exit');
}
