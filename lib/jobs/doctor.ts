import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { asHoneError, withHint } from '../core/error';
import { describeCpu } from '../engine/session';
import { PLAN_OP_NAMES, PLAN_OPS } from '../plan/plan-ops';
import { loadRuntime } from '../reference/runtime';

/** One thing that Hone needs or can use on this machine. */
export interface Finding {
  readonly what: string;
  /** `missing` hinders some verbs; `absent` only costs a feature. */
  readonly state: 'ok' | 'missing' | 'absent';
  readonly detail: string;
}

/** What this machine offers to Hone and what it lacks, with what to do about it. */
export function examine(): Finding[] {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits = major > 20 || (major === 20 && minor >= 15);
  return [
    {
      what: 'Node.js',
      state: fits ? 'ok' : 'missing',
      detail: `${process.version} on ${process.platform}-${process.arch}${fits ? '' : '; 20.15 or newer is needed'}`,
    },
    {
      what: 'machine',
      state: 'ok',
      detail: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    },
    attempt('native engine', 'missing', () => `kernels for ${describeCpu()}`),
    kernels(process.env.HONE_CPU),
    attempt('onnxruntime-node', 'absent', () => {
      loadRuntime();
      return 'host reference; calibration, training and comparisons work';
    }),
    roles(),
    tool('C++ compiler', process.env.CXX ?? 'c++', 'to build the engine where no prebuilt one fits (Debian: g++)'),
  ];
}

/** What shares a process and a user in an agent that is started here. */
function roles(): Finding {
  const user = process.getuid === undefined ? 'this user' : `user ${process.getuid()}`;
  const detail = `supervisor and front are one process, workers its children, all under ${user}: code that took over a worker could do what that user may`;
  return { what: 'roles of an agent', state: 'ok', detail };
}

/** Whether operations that have fast kernels lack those of this machine, or of the part of it that `mask` leaves. */
function kernels(mask: string | undefined): Finding {
  const what = 'fast kernels';
  try {
    const sets = describeCpu(mask);
    const scalar = scalarOperations(sets.split(','));
    return scalar.length === 0
      ? { what, state: 'ok', detail: 'for all operations that have any' }
      : {
          what,
          state: 'absent',
          detail: `with ${sets} alone ${scalar.length} operations run on scalar code, up to hundreds of times slower: ${scalar.join(', ')}`,
        };
  } catch (error) {
    return { what, state: 'absent', detail: withHint(asHoneError(error)) };
  }
}

/** Operations that have kernels for instruction sets, but not for any of these. */
export function scalarOperations(sets: readonly string[]): string[] {
  return PLAN_OP_NAMES.filter((op) => {
    const rows: readonly string[] = PLAN_OPS[op].rows;
    return rows.length > 0 && !rows.some((set) => sets.includes(set));
  });
}

function attempt(what: string, otherwise: Finding['state'], check: () => string): Finding {
  try {
    return { what, state: 'ok', detail: check() };
  } catch (error) {
    return { what, state: otherwise, detail: withHint(asHoneError(error)) };
  }
}

function tool(what: string, command: string, use: string): Finding {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0
    ? { what, state: 'ok', detail: stdout.split('\n')[0] }
    : { what, state: 'absent', detail: `${command} is needed only ${use}` };
}
