import { HoneError } from '../core/error';
import type { PlanArray } from '../engine/addon';
import { openSession, type Session } from '../engine/session';
import { type Tensor, type ViewType, viewAs } from '../ir/tensor';
import { PLAN_TYPES } from '../plan/format';
import { planIndexLimits } from '../plan/index-limits';
import { readPlan } from '../plan/reader';
import type { Executor } from './executor';

/**
 * Opens a plan on the native engine; of its shape variants each run takes the one that its feeds fit, the first when none does.
 * @throws what `openSession` throws
 */
export function openNativeExecutor(plan: Uint8Array, threads = 1): Executor {
  const first = openSession(plan, { threads });
  const sessions = first.variants.map((_, variant) =>
    variant === 0 ? first : openSession(plan, { threads, variant }),
  );
  const fits = (session: Session, feeds: ReadonlyMap<string, Tensor>): boolean =>
    session.inputs.every(({ name, dims }) => String(feeds.get(name)?.dims) === String(dims));
  return {
    name: 'native',
    inputs: new Map(first.inputs.map(({ name, type, dims: shape }) => [name, { type, shape }])),
    outputs: first.outputs.map(({ name }) => name),
    get indexLimits() {
      return planIndexLimits(readPlan(plan));
    },
    async run(feeds) {
      const session = sessions.find((candidate) => fits(candidate, feeds)) ?? first;
      const arrays = [...feeds].map(([name, tensor]) => [name, asFeed(name, tensor)] as const);
      const results = session.run(new Map(arrays));
      return new Map(
        session.outputs.map(({ name, type }) => {
          const data = results[name];
          const dims = session.dimsOf(name);
          return [
            name,
            { type, dims, bytes: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) },
          ];
        }),
      );
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
