import { HoneError } from '../core/error';
import { adviceOn } from '../core/nearest';
import { badRequest, found, isObject } from './found';

/** What a parameter may be. One that is not served takes only the values that ask for nothing: 0, false and "". */
type ParameterRule =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly high: number }
  | { readonly kind: 'unserved'; readonly reason: string };

const FLAG: ParameterRule = { kind: 'boolean' };
const COUNT: ParameterRule = { kind: 'integer', high: Number.MAX_SAFE_INTEGER };
const SEQUENCE: ParameterRule = {
  kind: 'unserved',
  reason: 'requests of one sequence are not kept apart from others',
};
const SHARED_MEMORY: ParameterRule = { kind: 'unserved', reason: 'tensors travel in the body' };
const SHARED = {
  shared_memory_region: SHARED_MEMORY,
  shared_memory_byte_size: SHARED_MEMORY,
  shared_memory_offset: SHARED_MEMORY,
};

/** Lowest priority; the highest is 1, and 0 the default. */
const LOWEST_PRIORITY = 3;

/** Every parameter that the protocol and its extensions have, by the place where it stands. */
export const PARAMETERS: Readonly<Record<'request' | 'input' | 'output', Readonly<Record<string, ParameterRule>>>> = {
  request: {
    binary_data_output: FLAG,
    priority: { kind: 'integer', high: LOWEST_PRIORITY },
    timeout: COUNT,
    sequence_id: SEQUENCE,
    sequence_start: SEQUENCE,
    sequence_end: SEQUENCE,
  },
  input: { binary_data_size: COUNT, ...SHARED },
  output: { binary_data: FLAG, classification: COUNT, ...SHARED },
};

/** Parameters as they were given: booleans and whole numbers of at least 0. */
export type Parameters = ReadonlyMap<string, boolean | number>;

/**
 * The parameters that `given` holds, each checked; null counts as not given. `owner` names whose they are in messages.
 * @throws E_REQUEST_UNKNOWN, E_REQUEST_UNSERVED, E_REQUEST_FORMAT
 */
export function readParameters(place: keyof typeof PARAMETERS, given: unknown, owner: string): Parameters {
  const read = new Map<string, boolean | number>();
  if (given === undefined || given === null) return read;
  if (!isObject(given)) throw badRequest(`parameters of ${owner}: expected an object, found ${found(given)}`);
  const rules = PARAMETERS[place];
  requireKnown(Object.keys(given), Object.keys(rules), 'parameter', owner);
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const rule = rules[name];
    const wrong = (expected: string) =>
      badRequest(`parameter ${name} of ${owner}: expected ${expected}, found ${found(value)}`);
    if (rule.kind === 'unserved') {
      if (value !== 0 && value !== false && value !== '')
        throw new HoneError('E_REQUEST_UNSERVED', { what: `parameter ${name} of ${owner}`, reason: rule.reason });
    } else if (rule.kind === 'boolean') {
      if (typeof value !== 'boolean') throw wrong('true or false');
      read.set(name, value);
    } else {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > rule.high)
        throw wrong(
          `a whole number ${rule.high === Number.MAX_SAFE_INTEGER ? 'of at least 0' : `from 0 to ${rule.high}`}`,
        );
      read.set(name, value);
    }
  }
  return read;
}

/**
 * Refuses names that are not among those known, with the nearest.
 * @throws E_REQUEST_UNKNOWN
 */
export function requireKnown(names: readonly string[], known: readonly string[], what: string, owner: string): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const name = unknown.slice(0, 60);
  throw new HoneError('E_REQUEST_UNKNOWN', { what, name, owner, ...adviceOn(name, known) });
}
