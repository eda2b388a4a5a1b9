import { compile } from '../../lib/compile/compile';
import { HoneError } from '../../lib/core/error';
import { decodeFloat16, encodeFloat16 } from '../../lib/core/half';
import type { PlanArray } from '../../lib/engine/addon';
import { openSession } from '../../lib/engine/session';
import { verified } from '../../lib/ir/verify';
import { narrowPorts } from '../../lib/passes/narrow-ports';
import { prepare } from '../../lib/passes/pipeline';
import { HASH } from '../compile/run-case';
import { DRAWS } from './draws/table';
import { type RandomGraph, randomGraph, randomGraphOf } from './random-graph';
import { arraysOf } from './run-graph';

/** A session over the graph with the ports of these types narrowed. */
function open({ graph }: RandomGraph, narrowed: boolean) {
  const { graph: prepared } = prepare(graph, { pads: 'fold', subgraphs: 'inline' });
  const ports = new Set(narrowed ? [...graph.inputs, ...graph.outputs] : []);
  return openSession(compile(verified(narrowPorts(prepared, ports)), { sourceHash: HASH }).plan);
}

/** Extents and numbers of every output; those of floats as float16 holds them. */
function outputsOf(session: ReturnType<typeof open>, feeds: Readonly<Record<string, PlanArray>>) {
  const found = session.run(feeds);
  return session.outputs.map(({ name, type }) => {
    const array = found[name];
    const bits = array instanceof Float32Array ? Uint16Array.from(array, encodeFloat16) : array;
    const isFloat = type === 'float16' || type === 'float32';
    return {
      name,
      dims: session.dimsOf(name),
      numbers: Array.from(bits as Uint16Array, isFloat ? decodeFloat16 : Number),
    };
  });
}

/** What differs when all float ports are float16 and nothing else is; undefined where the engine does not run the graph. */
function difference(item: RandomGraph): readonly string[] | undefined {
  try {
    using wide = open(item, false);
    using narrow = open(item, true);
    const halves = Object.entries(arraysOf(item.feeds)).map(
      ([name, array]) =>
        [name, array instanceof Float32Array ? Uint16Array.from(array, encodeFloat16) : array] as const,
    );
    const rounded = halves.map(
      ([name, array]) =>
        [name, array instanceof Uint16Array ? Float32Array.from(array, decodeFloat16) : array] as const,
    );
    const expected = outputsOf(wide, Object.fromEntries(rounded));
    const found = outputsOf(narrow, Object.fromEntries(halves));
    const isWide = [...narrow.inputs, ...narrow.outputs]
      .filter(({ type }) => type === 'float32')
      .map(({ name }) => name);
    return [
      ...isWide.map((name) => `${name} is float32`),
      ...expected.flatMap((one, index) => (same(one, found[index]) ? [] : [`${one.name} differs`])),
    ];
  } catch (error) {
    if (error instanceof HoneError && error.code === 'E_OPERATOR_UNSUPPORTED') return undefined;
    throw error;
  }
}

type Output = ReturnType<typeof outputsOf>[number];
const same = (a: Output, b: Output): boolean =>
  a.name === b.name &&
  String(a.dims) === String(b.dims) &&
  a.numbers.every((number, i) => Object.is(number, b.numbers[i]));

test('float16 ports round what goes in and out of graphs, and change nothing else', () => {
  const graphs = [
    ...Object.keys(DRAWS).flatMap((op) => {
      const item = randomGraphOf(op, 1) ?? randomGraphOf(op, 2);
      return item ? [[`${op}`, item] as const] : [];
    }),
    ...Array.from({ length: 60 }, (_, index) => [`seed ${index + 1}`, randomGraph(index + 1)] as const),
  ];
  const judged = graphs.map(([name, item]) => [name, difference(item)] as const);
  expect(judged.filter(([, found]) => found !== undefined && found.length > 0)).toEqual([]);
  expect(judged.filter(([, found]) => found).length).toBeGreaterThan(0.8 * graphs.length);
});
