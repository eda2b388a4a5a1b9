import { GraphBuilder } from '../../lib/ir/builder';
import { print } from '../../lib/ir/print';
import { packStrings, unpackStrings } from '../../lib/ir/strings';
import { tensorFrom } from '../../lib/ir/tensor';

test('prints every part of a graph in stable text', () => {
  const body = new GraphBuilder({ name: 'body' });
  body.output(body.initializer(tensorFrom('float32', [1], [0.1]), 'inner'));
  const builder = new GraphBuilder({ name: 'net' });
  builder.opset('com.acme', 3);
  builder.setMetadata('labels', 'a\nb');
  builder.input('x', 'float32', ['N', 2]);
  builder.input('c', 'bool', []);
  builder.initializer(tensorFrom('float32', [2], [0.1, -0]), 'w');
  builder.initializer(tensorFrom('int64', [9], [1, 2, 3, 4, 5, 6, 7, 8, 9]), 'long');
  builder.initializer({ type: 'string', dims: [2], bytes: packStrings(['é', '']) }, 'words');
  builder.initializer({ type: 'int4', dims: [3], bytes: Uint8Array.of(0x21, 0x03) }, 'packed');
  builder.node(
    'Conv',
    ['x', 'w', ''],
    {
      strides: [1, 2],
      alpha: { kind: 'float', value: Math.fround(0.2) },
      auto_pad: 'VALID',
    },
    { outputs: ['y'], name: 'first' },
  );
  builder.nodes('Split', ['y'], 2, {}, { outputs: ['', 's'], domain: 'com.acme' });
  builder.node('If', ['c'], { then_branch: { kind: 'graph', value: body.build() } }, { outputs: ['z'] });
  builder.declare('s', 'float32', undefined);
  builder.output('s');
  builder.output('z');
  expect(print(builder.build())).toBe(
    [
      'graph net ir 10 opset com.acme 3, onnx 21',
      '  meta labels = "a\\nb"',
      '  input x: float32[N,2]',
      '  input c: bool[]',
      '  const w: float32[2] = [0.1,-0]',
      '  const long: int64[9]',
      '  const words: string[2] = ["é",""]',
      '  const packed: int4[3] = 0x2103',
      '  y = Conv(x, w, _) alpha=0.2f auto_pad="VALID" strides=[1,2] -> ? @first',
      '  _, s = com.acme:Split(y) -> _, float32[*] @s',
      '  z = If(c) -> ?',
      '    then_branch:',
      '      const inner: float32[1] = [0.1]',
      '      output inner: float32[1]',
      '  output s: float32[*]',
      '  output z: ?',
      '',
    ].join('\n'),
  );
});

test('string tensors keep their elements and refuse broken bytes', () => {
  const words = ['', 'abc', '\u{1F600}', '\uFEFFx'];
  const tensor = { type: 'string', dims: [4], bytes: packStrings(words) } as const;
  expect(unpackStrings(tensor)).toEqual(words);
  for (const bytes of [tensor.bytes.subarray(1), tensor.bytes.subarray(0, -1), Uint8Array.of(255, 255, 255, 255)])
    expect(() => unpackStrings({ ...tensor, bytes })).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
});
