import type { HoneError } from '../../lib/core/error';
import { openSession } from '../../lib/engine/session';
import { findPlanFault } from '../../lib/plan/check';
import type { PlanDescription, PlanWeights } from '../../lib/plan/description';
import { readPlan } from '../../lib/plan/reader';
import { PlanFile } from '../plan/plan-file';
import { type CodedOptions, codedInputs, codedNetwork } from './coded-network';
import { PlanBuilder, ramp } from './plans';

const SAMPLE = codedNetwork();
const BYTES = SAMPLE.write();
const PLAN = SAMPLE.describe();
/** Index of the first weights of a kind. */
const first = (encoding: string, type = 'float32'): number =>
  SAMPLE.encoded.findIndex((weights) => weights.encoding === encoding && weights.type === type);
const [SCALED, NARROW, CODEBOOK, BYTE_BOOK] = [
  first('scaled'),
  first('narrow', 'int8'),
  first('codebook'),
  first('codebook', 'int8'),
];
const tensor = SAMPLE.tensors.findIndex(({ place }) => place === 'encoded');
const nodeOf = (name: string): number => SAMPLE.nodes.findIndex((node) => node.name === name);

function answerOf(act: () => void): string {
  try {
    act();
    return 'taken';
  } catch (error) {
    const { code, message } = error as HoneError;
    return `${code}: ${message}`;
  }
}

/** One field changed, and what the engine and the reader say of it. */
test.each<readonly [engine: string, reader: string, change: (file: PlanFile) => void]>([
  ['unknown encoding', 'encoding number 5', (f) => f.set('encoded', SCALED, 'encoding', 5)],
  [
    'block-sparse ones are read by a later engine',
    'read by a later engine',
    (f) => f.set('encoded', SCALED, 'encoding', 3),
  ],
  [
    'entropy-coded ones are read by a later engine',
    'read by a later engine',
    (f) => f.set('encoded', SCALED, 'encoding', 4),
  ],
  ['type of its elements', 'type number 9', (f) => f.set('encoded', SCALED, 'type', 9)],
  ['type of its elements', 'for int32', (f) => f.set('encoded', CODEBOOK, 'type', 3)],
  ['type of its elements', 'scaled codes of 4 bits for int8', (f) => f.set('encoded', SCALED, 'type', 1)],
  ['type of its elements', 'narrow codes of 4 bits for float32', (f) => f.set('encoded', NARROW, 'type', 0)],
  ['type of its elements', 'codebook codes of 8 bits for int8', (f) => f.set('encoded', BYTE_BOOK, 'bits', 8)],
  ['bits of a code', 'codes of 2 bits', (f) => f.set('encoded', SCALED, 'bits', 2)],
  ['bits of a code', 'Infinity bytes', (f) => f.set('encoded', SCALED, 'bits', 0)],
  ['unknown flags', 'flags 2', (f) => f.set('encoded', SCALED, 'flags', 2)],
  ['unknown flags', 'narrow codes with zero points', (f) => f.set('encoded', NARROW, 'flags', 1)],
  ['unknown flags', 'flags 0 and 1', (f) => f.set('encoded', SCALED, 'reserved', 1)],
  ['length of its rows', 'rows of 0 codes', (f) => f.set('encoded', NARROW, 'row', 0)],
  ['length of its rows', `rows of ${2 ** 30} codes`, (f) => f.set('encoded', NARROW, 'row', 2 ** 30)],
  ['length of its groups', 'Infinity bytes', (f) => f.set('encoded', SCALED, 'group', 0)],
  ['length of its groups', 'groups of 71 codes', (f) => f.set('encoded', SCALED, 'group', 71)],
  ['length of its groups', 'groups of 32 codes', (f) => f.set('encoded', NARROW, 'group', 32)],
  ['size of its codes', 'bytes for rows of 70 codes', (f) => f.set('encoded', NARROW, 'bytes', 34)],
  ['size of its codes', '0 bytes for rows', (f) => f.set('encoded', NARROW, 'bytes', 0)],
  ['place of its codes', 'is not aligned', (f) => f.set('encoded', NARROW, 'offset', 32)],
  ['place of its codes', 'constant at', (f) => f.set('encoded', NARROW, 'offset', 2 ** 40)],
  ['place of its codes', 'out of bounds', (f) => f.set('encoded', NARROW, 'bytes', 35 * 2 ** 40)],
  ['place of its table', 'is not aligned', (f) => f.set('encoded', CODEBOOK, 'table', 32)],
  ['place of its table', 'constant at', (f) => f.set('encoded', SCALED, 'table', 2 ** 40)],
  ['its codes are of others', 'no weights number 99', (f) => f.set('tensors', tensor, 'offset', 99)],
  ['its codes are of others', 'codes of int8', (f) => f.set('tensors', tensor, 'offset', NARROW)],
  [
    'its codes are of others',
    'float32 [24,70] for 3360 codes',
    (f) => {
      f.set('tensors', tensor, 'dims.0', 24);
      f.set('tensors', tensor, 'bytes', 24 * 70 * 4);
    },
  ],
  ['its size does not follow', 'for 3360 codes', (f) => f.set('tensors', tensor, 'dims.0', 24)],
  ['its rows lie where they cannot', 'rows 70 elements apart', (f) => f.set('tensors', tensor, 'pitch', 70)],
  ['bias is held as codes', 'bias is held as codes', (f) => f.setOperand(nodeOf('scaled-8'), 3, tensor)],
  ['x is held as codes', 'x is held as codes', (f) => f.setOperand(nodeOf('scaled-8'), 1, tensor)],
  ['it writes a constant', 'taken', (f) => f.setOperand(nodeOf('scaled-8'), 0, tensor)],
  ['a section is out of bounds', 'section encoded', (f) => f.setHeader('encoded.count', 2 ** 40)],
  ['a section is out of bounds', 'section encoded', (f) => f.setHeader('encoded.offset', 32)],
])('%s', (engine, reader, change) => {
  const file = new PlanFile(BYTES);
  change(file);
  const bytes = file.bytes();
  const answer = answerOf(() => openSession(bytes).close());
  expect(answer).toMatch(/^E_PLAN_FORMAT: /);
  expect(answer).toContain(engine);
  expect(answerOf(() => readPlan(bytes))).toContain(reader);
});

test.each<readonly [words: string, change: Partial<PlanWeights>]>([
  ['needs a table of 576 bytes, found 0 bytes', { table: undefined as never }],
  ['needs a table of 576 bytes, found no bytes', { table: 999 }],
  ['0 bytes for rows', { codes: 999 }],
  ['rows of 1.5 codes', { row: 1.5 }],
])('a description is refused: %s', (words, change) => {
  const encoded = SAMPLE.encoded.map((weights, i) => (i === SCALED ? { ...weights, ...change } : weights));
  expect(findPlanFault({ ...PLAN, encoded } as PlanDescription)).toContain(words);
});

/** What multiplies by the weights of each product of the sample where constants are more than caches hold. */
const KERNELS: Readonly<Record<string, string>> = {
  'scaled-4-32': 'fc_coded_f32',
  'scaled-4-zeros': 'fc_coded_f32',
  'scaled-8': 'fc_coded_f32',
  'scaled-8-zeros': 'fc_coded_f32',
  'scaled-4-5': 'fc_f32',
  'codebook-4': 'fc_coded_f32',
  'codebook-8': 'fc_f32',
  narrow: 'fc_coded_s8',
  'narrow-zeros': 'fc_s8',
  'codebook-int8': 'fc_coded_s8',
};

function runCodes(options: CodedOptions) {
  const session = openSession(codedNetwork(options).write());
  const outputs = session.run(codedInputs(options));
  const { nodes } = session.profile();
  const packedBytes = session.memory.packedBytes;
  session.close();
  const products = nodes.filter(({ name }) => name in KERNELS);
  return {
    outputs: Object.entries(outputs).map(([name, values]) => [name, Buffer.from(values.buffer).toString('base64')]),
    kernels: Object.fromEntries(
      products.map(({ name, kernel }) => [name, kernel.replace(/_(ref|avx2|avx512vnni|neon(_\w+)?)$/, '')]),
    ),
    packedBytes,
  };
}

test('products read the codes of large plans, to the same bits, and keep no other weights', () => {
  const [decoded, codes] = [runCodes({}), runCodes({ large: true })];
  expect(codes.kernels).toEqual(KERNELS);
  expect(codes.outputs).toEqual(decoded.outputs);
  expect(Object.values(decoded.kernels)).toEqual(Object.values(KERNELS).map((name) => name.replace('_coded', '')));
  expect(codes.packedBytes).toBeLessThan(0.75 * decoded.packedBytes);
});

test('products of more rows decode the weights once', () => {
  expect(runCodes({ large: true, rows: 8 }).kernels).toEqual(KERNELS);
  const { kernels } = runCodes({ large: true, rows: 9 });
  expect(Object.values(kernels)).not.toContainEqual(expect.stringContaining('coded'));
});

test('codes of which a row holds two rows of the layer are decoded', () => {
  const run = (large: boolean) => {
    const b = new PlanBuilder();
    if (large) b.constant(new Uint8Array(8 << 20));
    const x = b.input('x', 'float32', [1, 71]);
    const codes = Uint8Array.from({ length: 24 * 71 }, (_, i) => (i * 37) & 255);
    const table = Float32Array.from({ length: 16 }, (_, i) => i / 8 - 1);
    const weights = b.coded({ encoding: 'codebook', type: 'float32', bits: 4, row: 142 }, [48, 71], codes, table);
    const inputs = [x, weights, b.constant(new Float32Array(48))];
    b.node({ op: 'fc_f32', outputs: [b.output('y', 'float32', [1, 48])], inputs, params: {} });
    const session = openSession(b.write());
    const { y } = session.run({ x: ramp(71) });
    session.close();
    return y;
  };
  expect(run(true)).toEqual(run(false));
});
