import type { Dim, ValueType } from './graph';

/** For each input that carries a state over from sample to sample: the output that makes the next one. */
export type States = ReadonlyMap<string, string>;

/** Metadata key under which a file keeps the states that were declared for it. */
const STATES_KEY = 'hone.states';

/** The metadata entry that declares states; empty when there are none. */
export function statesMetadata(declared: States): ReadonlyMap<string, string> {
  return declared.size === 0 ? new Map() : new Map([[STATES_KEY, JSON.stringify(Object.fromEntries(declared))]]);
}

/** The states that metadata declares; empty when it says nothing, or something that is not ours. */
export function declaredStates(metadata: ReadonlyMap<string, string>): States {
  try {
    const entries = Object.entries(JSON.parse(metadata.get(STATES_KEY) ?? '{}') as object);
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}

type Ports = ReadonlyMap<string, ValueType | undefined>;

/**
 * The states among inputs: declared ones, and inputs whose names say so (`h`, `state_in`, `c0`, `lstm_cache`) beside exactly one
 * output of the same type and shape whose name is the same but for words such as `out`, `new` or `n` (`hn`, `state_out`, `stateN`).
 * A single input is never a state.
 */
export function findStates(inputs: Ports, outputs: Ports, declared: States = new Map()): Map<string, string> {
  const sound = ([input, output]: readonly [string, string]) => sameState(inputs.get(input), outputs.get(output));
  const states = new Map([...declared].filter(sound));
  if (inputs.size < 2) return states;
  const taken = new Set(states.values());
  for (const [input, type] of inputs) {
    if (states.has(input) || !isStateName(input)) continue;
    const partners = [...outputs].filter(
      ([output, made]) =>
        !taken.has(output) && sameState(type, made) && stemsOf(output).some((stem) => stemsOf(input).includes(stem)),
    );
    if (partners.length !== 1) continue;
    states.set(input, partners[0][0]);
    taken.add(partners[0][0]);
  }
  return states;
}

/** Outputs that an input may be the state of by type and shape: for advice where names do not tell. */
export function possibleStates(input: ValueType | undefined, outputs: Ports): string[] {
  return [...outputs].filter(([, made]) => sameState(input, made)).map(([name]) => name);
}

/** Whether an output can be the next input: extents that are not known are not held against it. */
export function sameState(input: ValueType | undefined, output: ValueType | undefined): boolean {
  if (input === undefined || output === undefined || input.type !== output.type) return false;
  const [a, b] = [input.shape, output.shape];
  return a === undefined || b === undefined || (a.length === b.length && a.every((dim, axis) => agree(dim, b[axis])));
}

function agree(a: Dim, b: Dim): boolean {
  return typeof a === 'string' || typeof b === 'string' || a === b;
}

const STATE_WORDS =
  /^(h|c|s|hx|cx|hc|hidden|cell|states?|rnn|lstm|gru|caches?|mem|memory|past|kv|buffer|context)\d*n?$/;
/** Words that tell the state before from the one behind, and numbers of layers that both have. */
const SIDES = new Set([
  'in',
  'out',
  'input',
  'output',
  'new',
  'next',
  'prev',
  'previous',
  'present',
  'initial',
  'init',
]);

function wordsOf(name: string): string[] {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return plain.split(/[^a-z0-9]+/).filter((word) => word !== '');
}

function isStateName(name: string): boolean {
  return wordsOf(name).some((word) => STATE_WORDS.test(word));
}

/** What a name may be without words for its side; `h0` and `hn` are the first and the last of `h`. */
function stemsOf(name: string): string[] {
  const words = wordsOf(name).filter((word) => !SIDES.has(word) && word !== 'n' && word !== '0');
  const bare = words.map((word) => (STATE_WORDS.test(word) ? word.replace(/(0|n)$/, '') : word));
  return [...new Set([words.join(' '), bare.join(' ')])].filter((stem) => stem !== '');
}
