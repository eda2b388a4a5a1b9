import { HoneError } from '../core/error';
import { fromFloat16, toFloat16 } from '../data/convert';
import type { PlanArray } from '../engine/addon';
import { openSession, type Session } from '../engine/session';
import { type Tensor, type ViewType, viewAs } from '../ir/tensor';
import { PLAN_TYPES } from '../plan/format';
import { planIndexLimits } from '../plan/index-limits';
import { readPlan } from '../plan/reader';
import { dataTypeOf } from './artifact';
import type { Executor } from './executor';

/** How a plan is run. */
export interface NativeExecutorOptions {
  /** Threads of one inference. */
  readonly threads?: number;
  /** Whether runs go beside this thread, over copies of the inputs, and end early after `signal`. */
  readonly beside?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Opens a plan on the native engine; of its shape variants each run takes the one that its feeds fit, the first when none does. Ports of
 * float16 take and give float32 here, as other executors do; they take float16 too.
 * @throws what `openSession` throws
 */
export function openNativeExecutor(
  plan: Uint8Array,
  { threads = 1, beside = false, signal }: NativeExecutorOptions = {},
): Executor {
  const first = openSession(plan, { threads });
  const sessions = first.variants.map((_, variant) =>
    variant === 0 ? first : openSession(plan, { threads, variant }),
  );
  const fits = (session: Session, feeds: ReadonlyMap<string, Tensor>): boolean =>
    session.inputs.every(({ name, dims }) => String(feeds.get(name)?.dims) === String(dims));
  const halves = new Set(first.inputs.filter(({ type }) => type === 'float16').map(({ name }) => name));
  const convert = (feeds: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
    halves.size === 0
      ? feeds
      : new Map(
          [...feeds].map(([name, tensor]) => [
            name,
            halves.has(name) && tensor.type === 'float32' ? toFloat16(tensor, name) : tensor,
          ]),
        );
  return {
    name: 'native',
    inputs: new Map(first.inputs.map(({ name, type, dims: shape }) => [name, { type: dataTypeOf(type), shape }])),
    outputs: first.outputs.map(({ name }) => name),
    get indexLimits() {
      return planIndexLimits(readPlan(plan));
    },
    convert,
    async run(feeds) {
      const session = sessions.find((candidate) => fits(candidate, feeds)) ?? first;
      const arrays = new Map([...convert(feeds)].map(([name, tensor]) => [name, asFeed(name, tensor)]));
      const results = beside ? await session.runAsync(arrays, signal && { signal }) : session.run(arrays);
      return new Map(
        session.outputs.map(({ name, type }) => {
          const data = results[name];
          const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
          const tensor = { type, dims: session.dimsOf(name), bytes };
          return [name, type === 'float16' ? fromFloat16(tensor) : tensor];
        }),
      );
    },
    reset() {
      for (const session of sessions) session.reset();
    },
    async close() {
      for (const session of sessions) session.close();
    },
  };
}

function asFeed(name: string, tensor: Tensor): { data: PlanArray; dims: readonly number[] } {
  const { type, dims } = tensor;
  if (!(PLAN_TYPES as readonly string[]).includes(type))
    throw new HoneError('E_INPUT_TYPE', { name, expected: PLAN_TYPES.join(', '), found: type });
  const data = type === 'float16' ? viewAs({ ...tensor, type: 'uint16' }, 'uint16') : viewAs(tensor, type as ViewType);
  return { data: data as PlanArray, dims };
}
