import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { HoneError } from '../core/error';

type Runtime = typeof import('onnxruntime-node');

/** The version of package.json. */
export const RUNTIME = 'onnxruntime-node@1.30.0';

/**
 * The onnxruntime-node module, loaded on the first call: it is an optional dependency, and loading takes a while.
 * @throws E_REFERENCE_MISSING with the command that installs it
 */
export function loadRuntime(): Runtime {
  try {
    return require('onnxruntime-node') as Runtime;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new HoneError('E_REFERENCE_MISSING', { reason, command: installCommand() }, { cause: error });
  }
}

/**
 * The command that installs onnxruntime-node where the package in `folder` finds it. Its own install script downloads
 * files for CUDA, which Hone does not use and whose absence makes npm leave the whole package out: it is not run.
 */
export function installCommand(folder: string = __dirname, workingFolder: string = process.cwd()): string {
  const at = folder.lastIndexOf(`${sep}node_modules${sep}`);
  const words = (options: string) => `npm install ${options}--ignore-scripts ${RUNTIME}`;
  if (at === -1) return words('--no-save ');
  const project = folder.slice(0, at);
  // npm puts global packages into a folder without a package.json.
  if (!existsSync(join(project, 'package.json'))) return words('--global ');
  const inside = !relative(project, workingFolder).startsWith('..');
  return words(inside ? '' : `--prefix ${/\s/.test(project) ? JSON.stringify(project) : project} `);
}
