import { HoneError } from '../core/error';
import type { PlanArray } from '../engine/addon';
import { openSession } from '../engine/session';
import { type Tensor, tensorOf, type ViewType, viewAs } from '../ir/tensor';
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
          return [name, tensorOf(type, shape, data as never)] as const;
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
  if (type !== 'float32' && type !== 'uint8' && type !== 'int8')
    throw new HoneError('E_INPUT_TYPE', { name, expected: 'float32, uint8 or int8', found: type });
  return { data: viewAs(tensor, type as ViewType) as PlanArray, dims };
}
