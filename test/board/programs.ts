import { spawn } from 'node:child_process';

/** The Debian package of each program that a running board needs. */
const PACKAGES: Readonly<Record<string, string>> = {
  'qemu-system-aarch64': 'qemu-system-arm',
  'qemu-img': 'qemu-utils',
  fdtput: 'device-tree-compiler',
  ssh: 'openssh-client',
  setpriv: 'util-linux',
};

/** What a program printed, and its exit code: 255 from ssh where there is no connection, -1 where it was ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, or ends it after `timeoutMs`. */
export function outcomeOf(
  command: string,
  args: readonly string[],
  {
    input = '',
    timeoutMs = 120_000,
    onError,
  }: { input?: string | Uint8Array; timeoutMs?: number; onError?: (text: string) => void } = {},
): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onError?.(text);
    });
    child.stdin.on('error', () => undefined).end(input);
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', (error) => fail(startError(command, error)));
    child.on('close', (code) => {
      clearTimeout(late);
      done({ code: code ?? -1, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed; resolves to what it printed. */
export async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${code}): ${stderr || stdout}`);
  return stdout;
}

/** The error of a program that could not be started; names the package of one that is missing. */
export function startError(command: string, error: Error): Error {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' && PACKAGES[command];
  return missing ? new Error(`${command} is missing: apt-get install --no-install-recommends ${missing}`) : error;
}
