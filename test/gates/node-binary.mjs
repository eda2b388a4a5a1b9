// Real Node binaries of npm's packages node-linux-<arch>, kept outside of the clone by version: one download per machine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of the binary of Node `version` for Linux on `arch` ('x64' or 'arm64'); installs it on first use. Fails loudly. */
export function nodeBinary(arch, version) {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hone', 'node');
  const folder = join(cache, `linux-${arch}-${version}`);
  const name = `node-linux-${arch}`;
  const path = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(path)) return path;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, 'package.json'), '{"private":true}');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-package-lock'];
  const foreign = ['--ignore-scripts', '--force', '--os=linux', `--cpu=${arch}`];
  const { status } = spawnSync('npm', ['install', ...quiet, ...foreign, `${name}@${version}`], {
    cwd: fresh,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm could not install ${name}@${version}`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  return path;
}
