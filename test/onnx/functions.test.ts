import { print } from '../../lib/ir/print';
import { countParameters } from '../../lib/jobs/count-parameters';
import { readModel } from '../../lib/onnx/read-model';
import { concat, field, int, model, node, opset, type Part, value } from './proto';

/** Model-local function `acme:<name>`; nodes carry field number 7 here instead of 1. */
const fn = (name: string, inputs: string[], outputs: string[], nodes: Part[], ...more: Part[]) =>
  field(
    25,
    field(1, name),
    field(10, 'acme'),
    ...inputs.map((input) => field(4, input)),
    ...outputs.map((output) => field(5, output)),
    ...nodes.map((part) => concat(Uint8Array.of((7 << 3) | 2), part.subarray(1))),
    ...more,
  );
const imports = (version: number, domain = '') => field(9, field(1, domain), int(2, version));
const acme = field(7, 'acme');
const call = (name: string, inputs: string[], outputs: string[], ...more: Part[]) =>
  node(name, inputs, outputs, acme, ...more);
const x = value(11, 'x');
const y = value(12, 'y');
const lines = (graph: Part[], more: Part[]) =>
  print(readModel(model(graph, { more: [opset(1, 'acme'), ...more] })))
    .split('\n')
    .filter((line) => line.includes(' = '))
    .map((line) => line.trim().replace(/ -> .*/, ''));

test('bodies replace calls, with fresh inner names per call', () => {
  const twice = fn('Twice', ['a'], ['c'], [node('Neg', ['a'], ['b']), node('Neg', ['b'], ['c'])], imports(17));
  expect(lines([x, y, call('Twice', ['x'], ['m'], field(3, 'one')), call('Twice', ['m'], ['y'])], [twice])).toEqual([
    'one/b = Neg(x)',
    'm = Neg(one/b)',
    'y/b = Neg(m)',
    'y = Neg(y/b)',
  ]);
});

test('functions call functions; left-out inputs and outputs stay left out', () => {
  const inner = fn('Inner', ['a', 'b'], ['c', 'd'], [node('Clip', ['a', 'b'], ['c']), node('Neg', ['a'], ['d'])]);
  const outer = fn('Outer', ['a'], ['c'], [call('Inner', ['a'], ['c'])], imports(1, 'acme'));
  expect(lines([x, y, call('Outer', ['x'], ['y'])], [inner, outer])).toEqual(['y = Clip(x, _)', 'y/d = Neg(x)']);
});

test('attributes of the call, defaults, and neither', () => {
  const reference = (name: string, from: string) => field(5, field(1, name), field(21, from), int(20, 2));
  const attribute = (id: number, name: string, number: number) => field(id, field(1, name), int(3, number), int(20, 2));
  const body = node('Foo', ['a'], ['c'], reference('p', 'given'), reference('q', 'preset'), reference('r', 'absent'));
  const foo = fn('Foo', ['a'], ['c'], [body], attribute(11, 'preset', 5));
  expect(lines([x, y, call('Foo', ['x'], ['y'], attribute(5, 'given', 3))], [foo])).toEqual(['y = Foo(x) p=3 q=5']);
});

test('names inside subgraphs of a body are renamed with it', () => {
  const branch = field(
    6,
    node('Add', ['a', 't'], ['s']),
    field(12, field(1, 's')),
    field(5, field(8, 't'), int(2, 1), field(9, new Uint8Array(4))),
  );
  const body = node('If', ['k'], ['c'], field(5, field(1, 'then_branch'), branch, int(20, 5)));
  const foo = fn('Foo', ['k', 'a'], ['c'], [body]);
  expect(lines([x, value(11, 'k', 9, []), y, call('Foo', ['k', 'x'], ['y'])], [foo])).toEqual([
    'y = If(k)',
    'const y/t: float32[] = [0]',
    'y/s = Add(x, y/t)',
  ]);
});

test('an output that is an input becomes an Identity', () => {
  expect(lines([x, y, call('Pass', ['x'], ['y'])], [fn('Pass', ['a'], ['a'], [])])).toEqual(['y = Identity(x)']);
});

const REFUSED: [string, string, Part[]][] = [
  ['a function that calls itself', 'E_ONNX_FORMAT', [fn('F', ['a'], ['c'], [call('F', ['a'], ['c'])])]],
  [
    'functions that call each other',
    'E_ONNX_FORMAT',
    [fn('F', ['a'], ['c'], [call('G', ['a'], ['c'])]), fn('G', ['a'], ['c'], [call('F', ['a'], ['c'])])],
  ],
  ['more inputs than the function has', 'E_ONNX_FORMAT', [fn('F', [], ['c'], [])]],
  ['another opset', 'E_ONNX_UNSUPPORTED', [fn('F', ['a'], ['c'], [node('Neg', ['a'], ['c'])], imports(18))]],
  [
    'a tower of doubling calls',
    'E_ONNX_FORMAT',
    Array.from({ length: 64 }, (_, level) => {
      const next = level === 63 ? 'Neg' : `F${level + 1}`;
      const body = [call(next, ['a'], ['b']), call(next, ['b'], ['c'])];
      return fn(level === 0 ? 'F' : `F${level}`, ['a'], ['c'], body);
    }),
  ],
];
test.each(REFUSED)('refuses %s', (_, code, functions) => {
  const bytes = model([x, y, call('F', ['x'], ['y'])], { more: [opset(1, 'acme'), ...functions] });
  expect(() => readModel(bytes)).toThrow(expect.objectContaining({ code }));
});

test('weights in a function that is called twice are parameters once', () => {
  const weights = (count: number) =>
    field(5, field(1, 'value'), int(20, 4), field(5, int(1, count), int(2, 1), field(9, new Uint8Array(4 * count))));
  const body = [node('Constant', [], ['w'], weights(2)), node('Mul', ['a', 'w'], ['c'])];
  const own = node('Constant', [], ['v'], weights(3));
  const graph = readModel(
    model([x, y, own, call('Scale', ['x'], ['m']), call('Scale', ['m'], ['y'])], {
      more: [opset(1, 'acme'), fn('Scale', ['a'], ['c'], body)],
    }),
  );
  expect(graph.nodes.filter(({ op }) => op === 'Constant')).toHaveLength(3);
  expect(countParameters(graph)).toBe(2 + 3);
});
