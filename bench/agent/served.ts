import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_LIMIT_MS = 30_000;

/** An agent in processes of its own, as `hone serve` starts it. */
export class ServedAgent {
  readonly url: string;
  readonly folder: string;
  /** Its control group, which is removed with it. */
  readonly group: string | undefined;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, url: string, folder: string, group: string | undefined) {
    this.group = group;
    this.child = child;
    this.url = url;
    this.folder = folder;
  }

  /** Serves a plan under the name `model`; in a control group of its own, if there is one. */
  static async start(plan: Uint8Array, model: string, group?: string): Promise<ServedAgent> {
    const folder = await mkdtemp(join(tmpdir(), 'hone-bench-agent-'));
    const path = join(folder, 'model.plan');
    await writeFile(path, plan);
    return ServedAgent.launch(folder, path, ['--name', model], group);
  }

  /** Serves what is in a folder. */
  static async serve(plans: string, options: readonly string[]): Promise<ServedAgent> {
    return ServedAgent.launch(await mkdtemp(join(tmpdir(), 'hone-bench-agent-')), plans, options);
  }

  private static async launch(
    folder: string,
    what: string,
    options: readonly string[],
    group?: string,
  ): Promise<ServedAgent> {
    const note = join(folder, 'note.json');
    const main = join(__dirname, '..', '..', 'lib', 'cli', 'main.js');
    const words = [process.execPath, main, 'serve', what, '--port', '0', '--note', note, ...options];
    const enter = group === undefined ? '' : `echo $$ > '${group}/cgroup.procs' && `;
    const child = spawn('/bin/sh', ['-c', `${enter}exec "$@"`, 'sh', ...words], { stdio: 'ignore' });
    for (const end = Date.now() + START_LIMIT_MS; !existsSync(note); await delay(20))
      if (Date.now() > end || child.exitCode !== null) throw new Error('the agent does not come up');
    const { url } = JSON.parse(readFileSync(note, 'utf8')) as { readonly url: string };
    return new ServedAgent(child, url, folder, group);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Numbers of the processes of its workers. */
  get workers(): readonly number[] {
    const text = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  }

  /** Proportional set size of all of its processes, in bytes. */
  get pssBytes(): number {
    return [this.pid, ...this.workers].reduce((sum, pid) => sum + pssOf(pid), 0);
  }

  /** Sends a signal and waits until it has ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
    if (this.group !== undefined) await rmdir(this.group);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

export function pssOf(pid: number): number {
  const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(match?.[1] ?? Number.NaN) * 1024;
}

/** Runs a script of this folder and returns what it printed as JSON. */
export async function runScript<Result>(name: string, task: object): Promise<Result> {
  const child = spawn(process.execPath, [join(__dirname, `${name}.js`), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(Buffer.concat(chunks).toString()) as Result;
}

/** Starts a script of this folder that serves at an address, which it prints first. */
export async function startServer(name: string): Promise<{ readonly url: string; stop(): void }> {
  const child = spawn(process.execPath, [join(__dirname, `${name}.js`)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), stop: () => void child.kill() };
}
