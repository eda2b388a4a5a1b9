import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Graph } from '../../lib/ir/graph';
import { packStrings } from '../../lib/ir/strings';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { openReference } from '../../lib/reference/session';

/** x -> Neg -> n -> Exp -> e -> Add(w) -> y */
function small(): Graph {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', ['N']);
  builder.node('Neg', ['x'], {}, { outputs: ['n'] });
  builder.node('Exp', ['n'], {}, { outputs: ['e'] });
  const w = builder.initializer(tensorFrom('float32', [1], [10]), 'w');
  builder.node('Add', ['e', w], {}, { outputs: ['y'] });
  builder.output('y', 'float32', ['N']);
  return builder.build();
}
const x = (...values: number[]) => new Map([['x', tensorFrom('float32', [values.length], values)]]);

test('runs a graph or the bytes of a file', async () => {
  for (const model of [small(), writeModel(small())]) {
    await using session = await openReference(model, { threads: 2, spinning: true, optimization: 'disabled' });
    expect([session.inputs, session.outputs]).toEqual([['x'], ['y']]);
    const y = (await session.run(x(0, -1))).get('y')!;
    expect(y).toMatchObject({ type: 'float32', dims: [2] });
    expect(toNumbers(y)).toEqual([11, Math.fround(10 + Math.E)]);
  }
});

test.each([
  ['Add', 0],
  ['Sub', 0],
  ['Mul', 1],
])('a quantized value before %s of %p is fetched as it is', async (op, constant) => {
  const b = new GraphBuilder();
  const zero = b.initializer(tensorFrom('uint8', [], [0]));
  const pair = (value: string, scale: number, name: string): string => {
    const grid = [b.initializer(tensorFrom('float32', [], [scale])), zero];
    const bytes = value === '' ? b.initializer(tensorFrom('uint8', [], [constant])) : '';
    const quantized = bytes === '' ? b.node('QuantizeLinear', [value, ...grid]) : bytes;
    return b.node('DequantizeLinear', [quantized, ...grid], {}, { outputs: [name] });
  };
  const d = pair(b.node('Relu', [b.input('x', 'float32', [2])]), 0.5, 'd');
  b.output(pair(b.node(op, [d, pair('', 1, 'c')]), 0.5, 'y'), 'float32', [2]);
  await using session = await openReference(b.build(), { alsoFetch: ['d'] });
  const found = await session.run(x(5.6, -1), ['d', 'y']);
  expect([...found].map(([, tensor]) => toNumbers(tensor))).toEqual([
    [5.5, 0],
    [5.5, 0],
  ]);
});

test.each([
  ['int4', /'y' is int4/],
  ['uint4', /'y' is uint4/],
  ['sequence', /'y' is no tensor/],
  ['optional', /'y' is no tensor/],
])('an output of %s is refused before it is fetched; others of the model run', async (kind, reason) => {
  const b = new GraphBuilder();
  b.input('x', 'float32', [2]);
  const value = { outputs: ['y'] };
  if (kind === 'sequence' || kind === 'optional')
    b.node(kind === 'sequence' ? 'SequenceConstruct' : 'Optional', ['x'], {}, value);
  else {
    const zero = b.initializer({ type: kind as 'int4', dims: [], bytes: new Uint8Array(1) });
    b.node('QuantizeLinear', ['x', b.initializer(tensorFrom('float32', [], [1])), zero], {}, value);
  }
  b.output('y');
  b.output(b.node('Neg', ['x'], {}, { outputs: ['n'] }), 'float32', [2]);
  await using session = await openReference(b.build());
  await expect(session.run(x(1, 2))).rejects.toMatchObject({
    code: 'E_REFERENCE_RUN',
    details: { reason: expect.stringMatching(reason) },
  });
  expect(toNumbers((await session.run(x(1, 2), ['n'])).get('n')!)).toEqual([-1, -2]);
});

test('unaligned feeds are fine', async () => {
  const bytes = new Uint8Array(5);
  bytes.set(new Uint8Array(Float32Array.of(2).buffer), 1);
  await using session = await openReference(small());
  const feeds = new Map<string, Tensor>([['x', { type: 'float32', dims: [1], bytes: bytes.subarray(1) }]]);
  expect(toNumbers((await session.run(feeds)).get('y')!)[0]).toBeCloseTo(10 + Math.exp(-2), 5);
});

const element = (type: ElementType, dims: number[], bytes: ArrayLike<number> | ArrayBuffer): Tensor => ({
  type,
  dims,
  bytes: new Uint8Array(bytes as ArrayBuffer),
});
const TENSORS: Tensor[] = [
  tensorFrom('float32', [1, 2], [1.5, -2]),
  tensorFrom('float64', [1], [0.1]),
  tensorFrom('int8', [2], [-1, 5]),
  tensorFrom('uint8', [2], [255, 5]),
  tensorFrom('int16', [1], [-300]),
  tensorFrom('uint16', [1], [65535]),
  tensorFrom('int32', [1], [-7]),
  tensorFrom('uint32', [1], [4294967295]),
  tensorFrom('int64', [], [-9007199254740991]),
  tensorFrom('uint64', [1], [5]),
  tensorFrom('bool', [3], [1, 0, 1]),
  element('float16', [2], Uint16Array.of(0x3c00, 0xc000).buffer),
  element('string', [2], packStrings(['ä', ''])),
];
test.each(TENSORS.map((tensor) => [tensor.type, tensor] as const))(
  '%s passes through unchanged',
  async (type, tensor) => {
    const builder = new GraphBuilder();
    builder.input('v', type, tensor.dims);
    builder.output(builder.node('Identity', ['v']), type, tensor.dims);
    await using session = await openReference(builder.build());
    expect((await session.run(new Map([['v', tensor]]))).get('identity')).toEqual(tensor);
  },
);

test('errors carry codes', async () => {
  const broken = new GraphBuilder();
  broken.input('x', 'float32', [1]);
  broken.output(broken.node('NoSuchOperator', ['x']));
  await expect(openReference(broken.build())).rejects.toMatchObject({ code: 'E_REFERENCE_LOAD' });
  await expect(openReference(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'E_ONNX_FORMAT' });
  await expect(openReference(small(), { alsoFetch: ['q'] })).rejects.toMatchObject({ code: 'E_REFERENCE_RUN' });

  const session = await openReference(small());
  const run = (feeds: ReadonlyMap<string, Tensor>, fetches?: string[]) => expect(session.run(feeds, fetches)).rejects;
  await run(new Map([['q', tensorFrom('float32', [1], [1])]])).toMatchObject({ code: 'E_INPUT_NAME' });
  await run(new Map()).toMatchObject({ code: 'E_REFERENCE_RUN' });
  await run(x(1), ['n']).toMatchObject({ code: 'E_REFERENCE_RUN' });
  await run(new Map([['x', tensorFrom('int8', [1], [1])]])).toMatchObject({ code: 'E_REFERENCE_RUN' });
  await run(new Map([['x', element('bfloat16', [1], [0, 0])]])).toMatchObject({ code: 'E_INPUT_TYPE' });
  await session.close();
  await session.close();
  await run(x(1)).toMatchObject({ code: 'E_SESSION_CLOSED' });
});

test('closing waits for running calls', async () => {
  const session = await openReference(small());
  const calls = Array.from({ length: 8 }, (_, k) => session.run(x(k)));
  await session.close();
  const results = await Promise.all(calls);
  expect(results.map((result) => result.get('y')!.dims)).toEqual(calls.map(() => [1]));
});

test('writes the optimised model and a profile where asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hone-reference-'));
  const optimizedModelPath = join(folder, 'optimised.onnx');
  const session = await openReference(small(), { optimizedModelPath, profilePrefix: join(folder, 'profile') });
  await session.run(x(1));
  await session.close();
  expect(existsSync(optimizedModelPath)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith('profile'))).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

describe('evaluate', () => {
  test('fetches any value, inner ones and inputs too, at any time', async () => {
    await using reference = createReferenceEvaluate();
    const graph = small();
    const fetch = async (...names: string[]) =>
      [...(await reference.evaluate(graph, x(0), names))].map(([name, tensor]) => [name, ...toNumbers(tensor)]);
    expect(await fetch('y')).toEqual([['y', 11]]);
    expect(await fetch('n', 'y')).toEqual([
      ['n', -0],
      ['y', 11],
    ]);
    expect(await fetch('e')).toEqual([['e', 1]]);
    expect(await fetch('x', 'w')).toEqual([
      ['x', 0],
      ['w', 10],
    ]);
    await expect(fetch('q')).rejects.toMatchObject({ code: 'E_REFERENCE_RUN' });
    expect(await fetch('e')).toEqual([['e', 1]]);
  });

  test('calls side by side, each with other values', async () => {
    await using reference = createReferenceEvaluate();
    const graph = small();
    const names = ['y', 'n', 'e', 'y', 'n', 'w'];
    const results = await Promise.all(names.map((name) => reference.evaluate(graph, x(0), [name])));
    expect(results.map((result) => [...result.keys()][0])).toEqual(names);
  });

  test('a released graph computes what it is asked, then runs in a session of its own again', async () => {
    await using reference = createReferenceEvaluate();
    const [graph, other] = [small(), small()];
    await reference.release(graph);
    const running = reference.evaluate(graph, x(0), ['y']);
    await reference.evaluate(graph, x(0), ['y']);
    await reference.release(graph);
    expect([...(await running).keys()]).toEqual(['y']);
    expect([...(await reference.evaluate(graph, x(0), ['n', 'y'])).keys()]).toEqual(['n', 'y']);
    expect([...(await reference.evaluate(other, x(0), ['y'])).keys()]).toEqual(['y']);
  });

  test('closing ends its sessions', async () => {
    const reference = createReferenceEvaluate();
    const graph = small();
    await reference.evaluate(graph, x(0), ['y']);
    await reference.close();
    await expect(reference.evaluate(graph, x(0), ['y'])).rejects.toMatchObject({ code: 'E_SESSION_CLOSED' });
  });
});
