import { HoneError } from '../../lib/core/error';
import type { PlanArray } from '../../lib/engine/addon';
import { type NodeDump, openSession } from '../../lib/engine/session';
import type { Tensor } from '../../lib/ir/tensor';
import { runReference } from '../compile/run-case';
import { excuseFor } from './excuses';
import type { RandomGraph } from './random-graph';
import { arraysOf, isNear, type Numbers, numbersIn, planOfRandom, runRows } from './run-graph';

/** What became of one graph. */
export type Verdict =
  /** The engine gives what onnxruntime gives. */
  | { readonly kind: 'equal'; readonly plan: Uint8Array }
  /** They differ, and a rule says why both may. */
  | { readonly kind: 'excused'; readonly why: string; readonly plan: Uint8Array }
  /** The compiler says what the engine lacks. */
  | { readonly kind: 'refused'; readonly why: string }
  /** onnxruntime cannot run the graph: nothing to compare with. */
  | { readonly kind: 'unjudged'; readonly why: string; readonly plan: Uint8Array }
  | { readonly kind: 'fault'; readonly why: string };

/** Compares the reference rows with onnxruntime, every node as written. */
export async function judgeGraph({ graph, feeds }: RandomGraph): Promise<Verdict> {
  let plan: Uint8Array;
  let found: Numbers;
  try {
    plan = planOfRandom(graph);
    found = runRows(plan, feeds);
  } catch (error) {
    const isRefusal = error instanceof HoneError && error.code === 'E_OPERATOR_UNSUPPORTED';
    return isRefusal ? { kind: 'refused', why: reasonOf(error) } : { kind: 'fault', why: (error as Error).stack ?? '' };
  }
  let expected: ReadonlyMap<string, Tensor>;
  try {
    expected = await runReference(graph, feeds);
  } catch (error) {
    return { kind: 'unjudged', why: (error as Error).message.replace(/[a-z]+_\d+/g, '...').slice(0, 160), plan };
  }
  const difference = differenceOf(expected, found);
  if (difference === undefined) return { kind: 'equal', plan };
  const why = await excuseFor(graph, feeds);
  return why === undefined ? { kind: 'fault', why: difference } : { kind: 'excused', why, plan };
}

/** The first output that differs, in words. */
function differenceOf(expected: ReadonlyMap<string, Tensor>, found: Numbers): string | undefined {
  for (const [name, tensor] of expected) {
    const [values, others] = [numbersIn(tensor), found[name]];
    if (others?.length !== values.length) return `'${name}' has ${others?.length} elements, expected ${values.length}`;
    const wrong = values.flatMap((value, i) => (isNear(value, others[i], tensor.type === 'float32') ? [] : [i]));
    if (wrong.length > 0) {
      const [i] = wrong;
      return `'${name}' ${tensor.type}[${tensor.dims}]: ${wrong.length} of ${values.length} differ, [${i}] ${others[i]} is ${values[i]} in onnxruntime`;
    }
  }
  return undefined;
}

/** The first reason of a refusal, without the names of this graph. */
function reasonOf({ message }: Error): string {
  const line = message.split('\n').find((text) => text.startsWith('error: ')) ?? message;
  return line
    .replace(/^error: [^:]*: /, '')
    .replace(/'[^']*'/g, "'...'")
    .slice(0, 120);
}

/** Every tensor that the nodes of a plan make, in order. */
function dumpOf(
  plan: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
  cpu: string,
  threads: number,
): readonly NodeDump[] {
  const session = openSession(plan, { cpu, threads });
  try {
    return session.dump(arraysOf(feeds));
  } finally {
    session.close();
  }
}

/** Bytes of all tensors that differ from those of the reference rows on one thread, in words. */
export function bitDifference(
  plan: Uint8Array,
  feeds: ReadonlyMap<string, Tensor>,
  runs: readonly (readonly [cpu: string, threads: number])[],
): string | undefined {
  const expected = dumpOf(plan, feeds, 'ref', 1);
  for (const [cpu, threads] of runs) {
    const found = dumpOf(plan, feeds, cpu, threads);
    for (const [i, { node, op, data }] of expected.entries()) {
      const other = found[i]?.data;
      const equal = other !== undefined && areEqual(data, other);
      if (!equal) return `${cpu}, ${threads} threads: ${op} '${node}' differs`;
    }
  }
  return undefined;
}

/** Whether two arrays have the same bytes. Which NaN an operation makes is up to the CPU: all count as one. */
function areEqual(a: PlanArray, b: PlanArray): boolean {
  if (a instanceof Float32Array) return a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: PlanArray): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
