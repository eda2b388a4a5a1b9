import { concat, field, int, model, node, opset, raw, value } from './proto';

const x = value(11, 'x', 1, ['N', 2]);
const y = value(12, 'y', 1, ['N', 2]);
const acme = field(7, 'acme');
const tensor = (name: string, ...parts: Uint8Array[]) => field(5, field(8, name), ...parts);

/** Small valid files that together hold every kind of message the reader knows: where the fuzzer starts. */
export function seedModels(): Uint8Array[] {
  const attributes = [
    field(5, field(1, 'f'), concat(Uint8Array.of((2 << 3) | 5), raw(Float32Array.of(1))), int(20, 1)),
    field(5, field(1, 'is'), int(8, 1), int(8, -2), int(20, 7)),
    field(5, field(1, 's'), field(4, 'text'), int(20, 3)),
    field(5, field(1, 't'), field(5, int(1, 1), int(2, 7), field(7, int(0, 5).subarray(1))), int(20, 4)),
  ];
  const plain = model([
    x,
    node('Relu', ['x'], ['a'], field(3, 'first'), ...attributes),
    node('Add', ['a', 'w'], ['y']),
    tensor('w', int(1, 2), int(2, 1), field(9, raw(Float32Array.of(1, 2)))),
    value(13, 'a'),
    y,
  ]);
  const typed = model([
    node('Sum', ['u', 'v', 'w', 's'], ['y']),
    tensor('u', int(1, 2), int(2, 1), field(4, raw(Float32Array.of(1, 2)))),
    tensor('v', int(1, 1), int(2, 11), field(10, raw(Float64Array.of(1)))),
    tensor('w', int(1, 3), int(2, 3), field(5, Uint8Array.of(1, 2, 3))),
    tensor('s', int(1, 2), int(2, 8), field(6, 'one'), field(6, 'two')),
    tensor('e', int(1, 2), int(2, 1), int(14, 1), field(13, field(1, 'location'), field(2, 'w.bin'))),
    field(12, field(1, 'y')),
  ]);
  const branch = field(6, node('Neg', ['x'], ['b']), field(12, field(1, 'b')), field(2, 'then'));
  const nested = model([
    x,
    value(11, 'c', 9, []),
    node('If', ['c'], ['y'], field(5, field(1, 'then_branch'), branch, int(20, 5))),
    y,
  ]);
  const body = [node('Neg', ['a'], ['b']), node('Relu', ['b'], ['c'], field(5, field(1, 'k'), field(21, 'p')))];
  const definition = field(
    25,
    field(1, 'Twice'),
    field(10, 'acme'),
    field(4, 'a'),
    field(5, 'c'),
    ...body.map((part) => concat(Uint8Array.of((7 << 3) | 2), part.subarray(1))),
    field(9, field(1, ''), int(2, 17)),
    field(11, field(1, 'p'), int(3, 5), int(20, 2)),
  );
  const functions = model([x, node('Twice', ['x'], ['m'], acme), node('Twice', ['m'], ['y'], acme), y], {
    more: [opset(1, 'acme'), definition, field(14, field(1, 'key'), field(2, 'value'))],
  });
  const old = model(
    [x, value(11, 'w'), node('Mul', ['x', 'w'], ['y']), y, tensor('w', int(2, 1), field(9, new Uint8Array(4)))],
    {
      ir: 3,
      opset: 7,
    },
  );
  return [plain, typed, nested, functions, old];
}
