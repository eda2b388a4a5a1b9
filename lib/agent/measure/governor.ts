import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoneError } from '../../core/error';
import { listFolder, readText, type SysRoot } from '../../sensors/read-file';

const POLICIES = 'sys/devices/system/cpu/cpufreq';

/**
 * Gives back what each file held, `PATH VALUE` a line, when its standard input ends: a pipe of the process that measures, which
 * ends with it however it is ended.
 */
const KEEPER = `
while IFS= read -r line && [ "$line" != go ]; do lines="$lines$line
"; done
cat >/dev/null
printf %s "$lines" | while read -r path value; do printf %s "$value" >"$path"; done`;

/**
 * Sets the governor of all cores, and gives back what was, also after this process is killed.
 * @returns ends it and waits until all is as before
 * @throws E_GOVERNOR when there is none to set, it is not known here, or this user may not
 */
export function holdGovernor(governor: string, root: SysRoot = '/'): () => Promise<void> {
  const policies = listFolder(root, POLICIES)
    .map((policy) => `${POLICIES}/${policy}`)
    .filter((folder) => readText(root, `${folder}/scaling_governor`) !== undefined);
  if (policies.length === 0) throw refusal(governor, 'there is no cpufreq driver (virtual machines usually have none)');
  for (const folder of policies) {
    const known = (readText(root, `${folder}/scaling_available_governors`) ?? '').split(/\s+/);
    if (!known.includes(governor)) throw refusal(governor, `the driver knows ${known.join(', ')}`);
  }
  const before = policies.map((folder) => {
    const path = join(root, folder, 'scaling_governor');
    return { path, value: readFileSync(path, 'utf8').trim() };
  });
  const keeper = startKeeper(before);
  try {
    for (const { path } of before) writeFileSync(path, governor);
  } catch (error) {
    void release(keeper);
    throw refusal(governor, `${(error as Error).message}; it takes root`, error);
  }
  return () => release(keeper);
}

function startKeeper(files: readonly { readonly path: string; readonly value: string }[]): ChildProcess {
  // In a session of its own: what ends a group of processes does not end it.
  const keeper = spawn('/bin/sh', ['-c', KEEPER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  keeper.on('error', () => {});
  keeper.stdin!.on('error', () => {});
  for (const { path, value } of files) keeper.stdin!.write(`${path} ${value}\n`);
  keeper.stdin!.write('go\n');
  return keeper;
}

function release(keeper: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return resolve();
    keeper.once('close', () => resolve());
    keeper.once('error', () => resolve());
    keeper.stdin!.end();
  });
}

function refusal(governor: string, reason: string, cause?: unknown): HoneError {
  return new HoneError('E_GOVERNOR', { governor, reason }, { cause });
}
