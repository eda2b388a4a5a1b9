import { HoneError } from '../../core/error';
import { encodeFloat16 } from '../../core/half';
import { INTEGER_LIMIT, RANDOM_DRAWS } from '../../core/random-draw';
import { Rng } from '../../core/rng';
import type { PlanArray } from '../../engine/addon';
import { allocate, type TensorInfo } from '../../engine/arrays';

/**
 * Inputs of a plan by name, the same on every machine: standard normal floats, uniform integers below `limits` (by input name; 256
 * for others).
 * @throws E_INPUT_TYPE for types without random numbers
 */
export function seededInputs(
  ports: readonly TensorInfo[],
  seed: number,
  limits: ReadonlyMap<string, number>,
): Record<string, PlanArray> {
  const rng = new Rng(seed);
  return Object.fromEntries(
    ports.map((port) => {
      const draw = RANDOM_DRAWS[port.type === 'float16' ? 'float32' : port.type];
      if (draw === undefined)
        throw new HoneError('E_INPUT_TYPE', {
          name: port.name,
          expected: Object.keys(RANDOM_DRAWS).join(', '),
          found: port.type,
        });
      const array = allocate(port);
      const limit = limits.get(port.name) ?? INTEGER_LIMIT;
      for (let at = 0; at < array.length; at++) {
        const value = draw(rng, limit);
        if (array instanceof BigInt64Array) array[at] = BigInt(value);
        else array[at] = port.type === 'float16' ? encodeFloat16(value) : value;
      }
      return [port.name, array];
    }),
  );
}
