import { join } from 'node:path';
import { bundled } from '../engine/bundled';
import { packageRoot } from '../engine/package-root';

/** Parts of an agent that have a process or a thread of their own, and their scripts in the package. */
const SCRIPTS = {
  worker: ['worker', 'main.js'],
  'json-thread': ['front', 'json-thread-main.js'],
  measure: ['measure', 'measure-main.js'],
} as const;

export type AgentPart = keyof typeof SCRIPTS;

/** The script of a part and its first arguments. In the bundle all parts are one file, and the argument tells which. */
export function partCommand(part: AgentPart): { readonly script: string; readonly args: readonly string[] } {
  if (bundled !== undefined) return { script: __filename, args: [part] };
  return { script: join(packageRoot(), 'dist', 'lib', 'agent', ...SCRIPTS[part]), args: [] };
}
