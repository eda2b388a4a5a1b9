import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { MeasureRequest, PlanMeasurement } from '../agent/measure/plan-measurement';
import { partCommand } from '../agent/parts';
import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { readWireError } from '../protocol/wire-error';
import { measurementSchema } from './measurement-schema';

export interface ProfileOptions extends MeasureRequest {
  /** Cores that it may use, as taskset lists them: `0-3,6`; all when left out. */
  readonly affinity?: string;
  readonly signal?: AbortSignal;
}

/** What is measured where nobody says anything else. */
export const PROFILE_DEFAULTS = { threads: 1, runs: 200, seconds: 20, seed: 0, energy: true } as const;

/**
 * What a plan costs on this machine, measured in a process of its own.
 * @throws what `measurePlan` and `holdGovernor` throw; E_MEASURE when the process ends without an answer; E_OPTION_VALUE for an
 * affinity that the system refuses; E_INTERRUPTED
 */
export async function profilePlan(plan: Uint8Array, options: ProfileOptions): Promise<PlanMeasurement> {
  const { affinity, signal, ...request } = options;
  const folder = await mkdtemp(join(tmpdir(), 'hone-profile-'));
  try {
    const path = join(folder, 'model.plan');
    await writeFile(path, plan, { mode: 0o400 });
    return await measure(path, request, affinity, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  plan: string,
  request: MeasureRequest,
  affinity: string | undefined,
  signal: AbortSignal | undefined,
): Promise<PlanMeasurement> {
  const { script, args } = partCommand('measure');
  const words = [
    ...(affinity === undefined ? [] : ['taskset', '-c', affinity]),
    process.execPath,
    script,
    ...args,
    plan,
  ];
  const child = spawn(words[0], words.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const stop = () => child.kill();
  signal?.addEventListener('abort', stop);
  const ended = new Promise<string>((tell) => {
    child.once('error', (error) => tell(error.message));
    child.once('close', (code, killed) => tell(killed === null ? `exit code ${code}` : `signal ${killed}`));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(request));
  const [answer, said, how] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  signal?.removeEventListener('abort', stop);
  if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: 'the profile' });
  return takeAnswer(answer, said, how, affinity);
}

/**
 * What the process that measures answered, with what it said and how it ended.
 * @throws what it met; E_OPTION_VALUE when taskset refused the affinity; E_MEASURE
 */
export function takeAnswer(answer: string, said: string, how: string, affinity: string | undefined): PlanMeasurement {
  const { found, failed } = read(answer);
  if (found !== undefined) return found;
  if (failed !== undefined) throw readWireError(failed, how);
  const last = printable(said.trim().split('\n').at(-1) ?? '');
  if (affinity !== undefined && /^taskset:/.test(last))
    throw new HoneError('E_OPTION_VALUE', {
      option: '--affinity',
      expected: 'cores of that machine, as in 0-3',
      found: affinity,
    });
  throw new HoneError('E_MEASURE', { reason: last === '' ? how : `${how}: ${last}` });
}

/** @throws E_MEASURE for what is no measurement */
function read(answer: string): { readonly found?: PlanMeasurement; readonly failed?: unknown } {
  let json: { readonly found?: unknown; readonly failed?: unknown };
  try {
    json = JSON.parse(answer) as typeof json;
  } catch {
    return {};
  }
  if (json?.found === undefined) return { failed: json?.failed };
  const { data, error } = measurementSchema.safeParse(json.found);
  if (data !== undefined) return { found: data as PlanMeasurement };
  const [{ path, message }] = error!.issues;
  throw new HoneError('E_MEASURE', { reason: `its answer is no measurement: ${path.join('.')}: ${message}` });
}
