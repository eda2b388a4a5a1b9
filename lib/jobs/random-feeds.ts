import { HoneError } from '../core/error';
import { INTEGER_LIMIT, RANDOM_DRAWS } from '../core/random-draw';
import { Rng } from '../core/rng';
import type { Graph, ValueType } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom, type ViewType } from '../ir/tensor';
import { freeError, isFree } from '../passes/bind-inputs';

/** No model takes more random numbers than this as one input. */
const MOST_ELEMENTS = 2 ** 26;

/**
 * Seeded inputs of the right types and shapes: standard normal floats, uniform integers below `limits` (by input name; 256 for
 * others).
 * @throws E_SHAPE_FREE for extents that are not known, E_INPUT_TYPE for types that have no random numbers,
 * E_MEMORY for extents beyond reason
 */
export function randomFeeds(
  inputs: ReadonlyMap<string, ValueType>,
  seed: number,
  limits: ReadonlyMap<string, number> = new Map(),
): Map<string, Tensor> {
  const free = [...inputs].map(([name, { shape }]) => ({ name, shape })).filter(isFree);
  if (free.length > 0) throw freeError(free);
  const rng = new Rng(seed);
  return new Map(
    [...inputs].map(([name, { type, shape }]) => {
      const dims = shape as readonly number[];
      const draw = RANDOM_DRAWS[type];
      if (draw === undefined)
        throw new HoneError('E_INPUT_TYPE', { name, expected: Object.keys(RANDOM_DRAWS).join(', '), found: type });
      if (elementCount(dims) > MOST_ELEMENTS)
        throw new HoneError('E_MEMORY', { reason: `input ${name} [${dims}] has more than ${MOST_ELEMENTS} elements` });
      const limit = limits.get(name) ?? INTEGER_LIMIT;
      const values = Array.from({ length: elementCount(dims) }, () => draw(rng, limit));
      return [name, tensorFrom(type as ViewType, dims, values)] as const;
    }),
  );
}

/**
 * How many rows the smallest table has that an input is looked up in: indices such as token ids must stay below. Inputs that
 * no table is read with are not in the map.
 */
export function indexLimits(graph: Graph): Map<string, number> {
  const limits = new Map<string, number>();
  const origin = new Map(graph.inputs.map((name) => [name, name]));
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const source = origin.get(op === 'Gather' ? inputs[1] : inputs[0]);
    if (source === undefined) continue;
    if (op === 'Cast' || op === 'Identity') origin.set(outputs[0], source);
    const table = op === 'Gather' ? graph.initializers.get(inputs[0]) : undefined;
    if (table === undefined) continue;
    const axis = attributes.get('axis');
    const rows = table.dims.at(axis?.kind === 'int' ? axis.value : 0) ?? INTEGER_LIMIT;
    limits.set(source, Math.min(rows, limits.get(source) ?? rows));
  }
  return limits;
}
