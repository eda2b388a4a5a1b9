// A Python with the peers that PyPI has, kept outside of the clone by what is in it: one installation per machine.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** What to do where there is no such Python. */
export const INSTALL_PYTHON =
  'apt-get install python3-venv (pip brings test/gates/peers/requirements.txt, which Python 3.11 can have)';

/** The version of a package that the peers use. */
export function pinned(name) {
  const lines = readFileSync(REQUIREMENTS, 'utf8').split('\n');
  return lines.find((line) => line.startsWith(`${name}==`)).split('==')[1];
}

let made;

/** Folder of the virtual environment, made on first use; undefined where it cannot be made, which is said once. */
export function pythonFolder() {
  if (made === undefined) made = makeFolder() ?? null;
  return made ?? undefined;
}

function makeFolder() {
  const python = spawnSync('python3', ['-c', 'import sys; print(sys.version)'], { encoding: 'utf8' });
  if (python.status !== 0) return undefined;
  const key = createHash('sha256').update(python.stdout).update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hone', 'peers');
  const [folder, done] = [join(cache, key), join(cache, `${key}.done`)];
  // Scripts of an environment have its path in them, so that it is made where it stays.
  if (existsSync(done)) return folder;
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  const steps = [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/python'), '-m', 'pip', 'install', ...quiet, '-r', REQUIREMENTS],
  ];
  for (const [command, ...args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status === 0) continue;
    console.log(`${command} ${args.join(' ')}: ${error?.message ?? stderr.slice(-2000)}`);
    return undefined;
  }
  const fresh = `${done}.${process.pid}`;
  mkdirSync(fresh);
  renameSync(fresh, done);
  return folder;
}

/** The folder of its packages. */
export function sitePackages(folder) {
  const version = readdirSync(join(folder, 'lib')).find((name) => name.startsWith('python3'));
  return join(folder, 'lib', version, 'site-packages');
}
