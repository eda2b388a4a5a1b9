import { HoneError } from '../core/error';
import type { PlanArray } from '../engine/addon';
import { openSession } from '../engine/session';
import { type Tensor, type ViewType, viewAs } from '../ir/tensor';
import { PLAN_TYPES } from '../plan/format';
import type { Executor } from './executor';

/** Opens a plan on the native engine. @throws what `openSession` throws */
export function openNativeExecutor(plan: Uint8Array, threads = 1): Executor {
  const session = openSession(plan, { threads });
  const dims = new Map(session.outputs.map((output) => [output.name, output]));
  return {
    name: 'native',
    inputs: new Map(session.inputs.map(({ name, type, dims: shape }) => [name, { type, shape }])),
    outputs: session.outputs.map(({ name }) => name),
    indexLimits: new Map(),
    async run(feeds) {
      const arrays = [...feeds].map(([name, tensor]) => [name, asFeed(name, tensor)] as const);
      const results = session.run(new Map(arrays));
      return new Map(
        Object.entries(results).map(([name, data]) => {
          const { type, dims: shape } = dims.get(name)!;
          const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
          return [name, { type, dims: shape, bytes }] as const;
        }),
      );
    },
    async close() {
      session.close();
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
