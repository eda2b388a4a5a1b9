import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, sourceFiles } from '../tidy/sources';

const MAIN = 'dist/lib/cli/main.js';

/** Path of a compiled file; everything is compiled first when a source is newer. */
export function distPath(path: string): string {
  requireBuilt();
  return join(ROOT, 'dist', path);
}

let built = false;

function requireBuilt(): void {
  built ||= isFresh();
  if (built) return;
  const lock = join(ROOT, 'dist', '.compiling');
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  try {
    mkdirSync(lock);
  } catch {
    // Another test file compiles.
    while (timeOf(lock) > Date.now() - 120000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    built = true;
    return;
  }
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.json')]);
  } catch (error) {
    // Type errors do not keep the compiler from writing; the types gate reports them.
    if (timeOf(join(ROOT, MAIN)) === 0) throw error;
  } finally {
    rmdirSync(lock);
  }
  built = true;
}

function isFresh(): boolean {
  const compiledAt = timeOf(join(ROOT, MAIN)) === 0 ? 0 : timeOf(join(ROOT, 'dist/.tsbuildinfo'));
  return sourceFiles('lib', ['.ts']).every((path) => timeOf(join(ROOT, path)) <= compiledAt);
}

/** Time of the last change; 0 for a file that is not there. */
function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as one JSON value. */
  json<T = Record<string, unknown>>(): T;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A started program, and how it ends. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Waits until standard output or error holds such text, and returns it. */
  until(pattern: RegExp): Promise<string>;
}

/** The program under the name that npm gives it, by which it knows how people call it. */
function command(): string {
  const link = distPath('hone');
  try {
    symlinkSync('lib/cli/main.js', link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return link;
}

/** Starts the program with these arguments. */
export function start(args: readonly string[], { cwd = ROOT, env = {} }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [command(), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, json: () => JSON.parse(stdout) }));
  });
  return {
    child,
    ended,
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(stdout + stderr);
        if (found !== null) return found[0];
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended: ${stdout}${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

/** Runs the program to its end. */
export function hone(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return start(args, options).ended;
}
