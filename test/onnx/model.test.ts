import { GraphBuilder } from '../../lib/ir/builder';
import { print } from '../../lib/ir/print';
import { packStrings } from '../../lib/ir/strings';
import { tensorFrom } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { concat, field, int, model, node, opset, type Part, raw, value } from './proto';

const x = value(11, 'x');
const y = value(12, 'y');
const relu = node('Relu', ['x'], ['y']);
const attribute = (name: string, type: number, ...content: Part[]) =>
  field(5, field(1, name), ...content, int(20, type));

describe('versions', () => {
  const cases: [number, number, boolean][] = [
    [3, 7, true],
    [13, 26, true],
    [2, 7, false],
    [14, 26, false],
    [8, 6, false],
    [8, 27, false],
  ];
  test.each(cases)('IR %i with opset %i: %s', (ir, version, good) => {
    const read = () => readModel(model([x, relu, y], { ir, opset: version }));
    if (good) expect(read()).toMatchObject({ irVersion: ir, opsets: new Map([['', version]]) });
    else expect(read).toThrow(expect.objectContaining({ code: 'E_ONNX_VERSION' }));
  });

  test('the standard domain has two spellings; unused domains are fine', () => {
    const bytes = concat(
      int(1, 8),
      field(7, x, y, node('Relu', ['x'], ['y'], field(7, 'ai.onnx'))),
      opset(17, 'ai.onnx'),
      opset(99, 'com.unused'),
    );
    const graph = readModel(bytes);
    expect(graph.opsets).toEqual(
      new Map([
        ['', 17],
        ['com.unused', 99],
      ]),
    );
    expect(graph.nodes[0].domain).toBe('');
  });
});

test('initializers that old files list as inputs are not inputs; the writer lists them again', () => {
  const weights = field(5, field(8, 'w'), int(1, 2), int(2, 1), field(9, raw(Float32Array.of(1, 2))));
  const bytes = model([x, value(11, 'w'), node('Add', ['x', 'w'], ['y']), y, weights], { ir: 3, opset: 7 });
  const graph = readModel(bytes);
  expect(graph.inputs).toEqual(['x']);
  expect(graph.values.has('w')).toBe(false);
  const written = Buffer.from(writeModel(graph));
  expect(written.includes(Buffer.from(value(11, 'w')))).toBe(true);
  expect(readModel(written).inputs).toEqual(['x']);
});

test('nodes without a name, or with a taken one, get stable names of their own', () => {
  const graph = readModel(
    model([
      x,
      node('Relu', ['x'], ['a'], field(3, 'Relu')),
      node('Relu', ['a'], ['b']),
      node('Relu', ['b'], ['c'], field(3, 'Relu')),
      node('Neg', ['c'], ['y']),
      y,
    ]),
  );
  expect(graph.nodes.map((entry) => entry.name)).toEqual(['Relu', 'Relu_1', 'Relu_2', 'Neg']);
});

test('nodes are sorted; a cycle and other broken graphs are E_GRAPH_INVALID', () => {
  const [first, second] = [node('Relu', ['x'], ['a']), node('Neg', ['a'], ['y'])];
  expect(readModel(model([x, second, first, y])).nodes.map((entry) => entry.op)).toEqual(['Relu', 'Neg']);
  const broken: [Part[], RegExp][] = [
    [[x, node('Add', ['x', 'y'], ['a']), second, y], /cycle/],
    [[x, node('Relu', ['q'], ['y']), y], /nothing makes its input 'q'/],
    [[x, relu, relu, y], /more than one maker/],
    [[x, node('Foo', ['x'], ['y'], field(7, 'com.acme')), y], /no opset version/],
  ];
  for (const [parts, message] of broken)
    expect(() => readModel(model(parts))).toThrow(
      expect.objectContaining({ code: 'E_GRAPH_INVALID', message: expect.stringMatching(message) }),
    );
});

test('symbols stay; every unknown extent becomes a symbol of its own', () => {
  const unknown = field(
    11,
    field(1, 'x'),
    field(
      2,
      field(1, int(1, 1), field(2, field(1, field(2, 'N')), field(1), field(1, int(1, -1)), field(1, int(1, 0)))),
    ),
  );
  const noRank = field(12, field(1, 'y'), field(2, field(1, int(1, 1))));
  const graph = readModel(model([unknown, relu, noRank]));
  expect(graph.values.get('x')).toEqual({ type: 'float32', shape: ['N', 'x.1', 'x.2', 0] });
  expect(graph.values.get('y')).toEqual({ type: 'float32', shape: undefined });
  expect(readModel(writeModel(graph)).values).toEqual(graph.values);
});

test('unknown operators and every attribute kind survive', () => {
  const double = (value: number) => raw(Float32Array.of(value));
  const custom = node(
    'Mystery',
    ['x', '', 'x'],
    ['', 'y'],
    field(7, 'com.acme'),
    attribute('f', 1, Uint8Array.of((2 << 3) | 5), double(0.1)),
    attribute('i', 2, int(3, -7)),
    attribute('huge', 2, int(3, 2n ** 63n - 1n)),
    attribute('tiny', 2, int(3, -(2n ** 63n))),
    attribute('s', 3, field(4, 'text')),
    attribute('t', 4, field(5, int(2, 7), field(9, raw(BigInt64Array.of(5n))))),
    attribute('fs', 6, field(7, double(1), double(2))),
    attribute('is', 7, int(8, 1), int(8, -2)),
    attribute('ss', 8, field(9, 'a'), field(9, '')),
    attribute('zero', 2),
    field(5, field(1, 'undeclared'), int(3, 4)),
  );
  const graph = readModel(model([x, custom, y], { more: [opset(2, 'com.acme')] }));
  expect(graph.nodes[0]).toMatchObject({
    op: 'Mystery',
    domain: 'com.acme',
    inputs: ['x', '', 'x'],
    outputs: ['', 'y'],
  });
  expect(Object.fromEntries(graph.nodes[0].attributes)).toEqual({
    f: { kind: 'float', value: Math.fround(0.1) },
    i: { kind: 'int', value: -7 },
    huge: { kind: 'int', value: Number.MAX_SAFE_INTEGER },
    tiny: { kind: 'int', value: -Number.MAX_SAFE_INTEGER },
    s: { kind: 'string', value: 'text' },
    t: { kind: 'tensor', value: { type: 'int64', dims: [], bytes: raw(BigInt64Array.of(5n)) } },
    fs: { kind: 'floats', value: [1, 2] },
    is: { kind: 'ints', value: [1, -2] },
    ss: { kind: 'strings', value: ['a', ''] },
    zero: { kind: 'int', value: 0 },
    undeclared: { kind: 'int', value: 4 },
  });
  expect(readModel(writeModel(graph))).toEqual(graph);
});

test('metadata is kept', () => {
  const graph = readModel(model([x, relu, y], { more: [field(14, field(1, 'labels'), field(2, 'a,b'))] }));
  expect(graph.metadata).toEqual(new Map([['labels', 'a,b']]));
  expect(readModel(writeModel(graph)).metadata).toEqual(graph.metadata);
});

describe('refused', () => {
  const sparse = field(15, field(1, field(8, 'w')));
  const blob = attribute('s', 3, field(4, Uint8Array.of(0xff, 0xfe)));
  const cases: [string, string, Uint8Array][] = [
    ['nothing at all', 'E_ONNX_FORMAT', new Uint8Array()],
    ['text', 'E_ONNX_FORMAT', new TextEncoder().encode('this is no model\n'.repeat(20))],
    ['a zip file', 'E_MODEL_FORMAT', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0)],
    ['a file cut off', 'E_ONNX_FORMAT', model([x, relu, y]).subarray(0, 40)],
    ['no IR version', 'E_ONNX_FORMAT', concat(field(7, x, relu, y), opset(17))],
    ['no graph', 'E_ONNX_FORMAT', concat(int(1, 8), opset(17))],
    ['no operator set', 'E_ONNX_FORMAT', concat(int(1, 8), field(7, x, relu, y))],
    ['names that are not UTF-8', 'E_ONNX_FORMAT', model([x, relu, y, field(1, field(3, Uint8Array.of(0xc3, 0x28)))])],
    ['sparse initializers', 'E_ONNX_UNSUPPORTED', model([x, relu, y, sparse])],
    ['attribute bytes that are not text', 'E_ONNX_UNSUPPORTED', model([x, node('A', ['x'], ['y'], blob), y])],
    ['type attributes', 'E_ONNX_UNSUPPORTED', model([x, node('A', ['x'], ['y'], attribute('t', 13)), y])],
    ['inputs that are no tensors', 'E_ONNX_UNSUPPORTED', model([field(11, field(1, 'x')), relu, y])],
    [
      'a loose attribute reference',
      'E_ONNX_FORMAT',
      model([x, node('A', ['x'], ['y'], field(5, field(1, 'a'), field(21, 'b'))), y]),
    ],
    ['graphs nested without end', 'E_ONNX_FORMAT', model([x, nested(200), y])],
  ];
  test.each(cases)('%s', (_, code, bytes) => {
    expect(() => readModel(bytes, { path: 'm.onnx' })).toThrow(expect.objectContaining({ code }));
  });

  function nested(levels: number): Part {
    let body = node('If', ['x'], ['y']);
    for (let level = 0; level < levels; level++)
      body = node('If', ['x'], ['y'], attribute('then_branch', 5, field(6, body)));
    return body;
  }
});

describe('writer', () => {
  test('write, read, write gives the same bytes and the same graph', () => {
    const body = new GraphBuilder({ name: 'body' });
    body.output(body.node('Constant', [], { value: { kind: 'tensor', value: tensorFrom('float32', [], [3]) } }));
    const builder = new GraphBuilder({ name: 'net' });
    builder.input('x', 'float32', ['N', 3]);
    builder.input('c', 'bool', []);
    builder.initializer({ type: 'string', dims: [2], bytes: packStrings(['a', 'ü']) }, 'words');
    builder.initializer(tensorFrom('float32', [4000], new Array(4000).fill(0.5)), 'large');
    builder.initializer({ type: 'int4', dims: [3], bytes: Uint8Array.of(0x21, 3) }, 'packed');
    builder.node('If', ['c'], { then_branch: { kind: 'graph', value: body.build() } }, { outputs: ['y'] });
    builder.declare('y', 'float32', undefined);
    builder.output(builder.node('Relu', ['x'], { alpha: { kind: 'float', value: Number.NaN } }), 'float32', ['N', 3]);
    builder.output('y');
    const graph = builder.build();
    const bytes = writeModel(graph);
    const again = readModel(bytes);
    expect(print(again)).toBe(print(graph));
    expect(Buffer.compare(writeModel(again), bytes)).toBe(0);
  });

  test('refuses more than 2 GiB before any weight is loaded', () => {
    const builder = new GraphBuilder();
    const huge = {
      type: 'float32',
      dims: [2 ** 29],
      get bytes(): Uint8Array {
        throw new Error('loaded');
      },
    } as const;
    builder.output(builder.initializer(huge));
    expect(() => writeModel(builder.build())).toThrow(expect.objectContaining({ code: 'E_ONNX_SIZE' }));
  });
});
