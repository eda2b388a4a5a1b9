import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { HoneError } from '../../lib/core/error';
import { openSession } from '../../lib/engine/session';
import { crc32 } from '../../lib/plan/crc32';
import { describePlan } from '../../lib/plan/describe';
import type { PlanDescription, PlanTensor, PlanVariant } from '../../lib/plan/description';
import { readPlan } from '../../lib/plan/reader';
import { writePlan } from '../../lib/plan/writer';
import { codedInputs, codedNetwork } from '../engine/coded-network';
import { ramp, smallNetwork } from '../engine/plans';
import { anyPlan } from './arbitrary';

/** Constants replaced by their bytes, so that numbering and sharing do not matter. */
function withBytes(plan: PlanDescription): unknown {
  const tensor = (item: PlanTensor) =>
    item.place === 'constant' ? { ...item, constant: bytesOf(item.constant) } : item;
  const bytesOf = (index: number | undefined) => (index === undefined ? [] : Array.from(plan.constants[index]));
  const encoded = plan.encoded?.map((item) => ({ ...item, codes: bytesOf(item.codes), table: bytesOf(item.table) }));
  const variant = (item: PlanVariant) => ({ ...item, tensors: item.tensors.map(tensor) });
  return JSON.parse(JSON.stringify({ ...plan, encoded, constants: [], variants: plan.variants.map(variant) }));
}

const TINY: PlanDescription = {
  sourceHash: 'ab'.repeat(32),
  metadata: { labels: ['cat', 'dog'] },
  constants: [new Uint8Array(256).map((_, i) => i)],
  variants: [
    {
      name: 'default',
      tensors: [
        { name: 'x', type: 'int8', place: 'port', dims: [1, 4], scale: 0.5, zeroPoint: 3 },
        { name: 'y', type: 'int8', place: 'port', dims: [1, 4], scale: 0.5, zeroPoint: 3 },
        { name: 'table', type: 'uint8', place: 'constant', dims: [256], constant: 0 },
      ],
      nodes: [{ name: 'relu', op: 'lut_s8', outputs: [1], inputs: [0, 2] }],
      inputs: [{ name: 'x', tensor: 0, type: 'int8', dims: [1, 4] }],
      outputs: [{ name: 'y', tensor: 1, type: 'int8', dims: [1, 4] }],
      states: [],
      arenaBytes: 0,
    },
  ],
};

test('crc32 is the one of zip', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test('what is written is read back, and written again as the same bytes', () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const bytes = writePlan(plan);
      const back = readPlan(bytes);
      expect(withBytes(back)).toEqual(withBytes(plan));
      expect(writePlan(plan)).toEqual(bytes);
      expect(withBytes(readPlan(writePlan(back)))).toEqual(withBytes(plan));
    }),
    { numRuns: 150 },
  );
});

test('equal constants and strings are stored once, aligned to 64 bytes', () => {
  const twice = { ...TINY, constants: [TINY.constants[0], TINY.constants[0].slice()] };
  expect(writePlan(twice)).toEqual(writePlan(TINY));
  const { constants } = readPlan(writePlan(TINY));
  expect(constants.map((constant) => constant.byteOffset % 64)).toEqual([0]);
});

test('every flipped bit and every cut of a plan is refused by code', () => {
  const bytes = writePlan(TINY);
  let refused = 0;
  for (let i = 0; i < bytes.length; i++) {
    const flipped = bytes.slice();
    flipped[i] ^= 1 << (i % 8);
    for (const broken of [flipped, bytes.slice(0, i)]) {
      let code = 'none';
      try {
        readPlan(broken);
      } catch (error) {
        code = (error as HoneError).code;
      }
      expect(['E_PLAN_FORMAT', 'E_PLAN_VERSION']).toContain(code);
      refused++;
    }
  }
  expect(refused).toBe(2 * bytes.length);
});

test('a flipped byte with a right checksum never ends in anything but a plan or a code', () => {
  const bytes = writePlan(TINY);
  for (let i = 8; i < bytes.length; i++) {
    const broken = bytes.slice();
    broken[i] ^= 0xff;
    broken.fill(0, 24, 28);
    new DataView(broken.buffer).setUint32(24, crc32(broken), true);
    try {
      readPlan(broken);
    } catch (error) {
      expect(error).toBeInstanceOf(HoneError);
    }
  }
});

test.each([
  ['an operand out of range', { nodes: [{ name: 'n', op: 'lut_s8', outputs: [9], inputs: [0, 2] }] }],
  ['too few operands', { nodes: [{ name: 'n', op: 'lut_s8', outputs: [1], inputs: [0] }] }],
  ['a required operand left out', { nodes: [{ name: 'n', op: 'lut_s8', outputs: [1], inputs: [0, null] }] }],
  ['an unknown operation', { nodes: [{ name: 'n', op: 'sort', outputs: [1], inputs: [0] }] }],
  ['a port that is no port', { inputs: [{ name: 'x', tensor: 2, type: 'uint8', dims: [256] }] }],
  ['a port of another size', { inputs: [{ name: 'x', tensor: 0, type: 'int8', dims: [1, 5] }] }],
  ['a state that is no state', { states: [{ input: 0, output: 1 }] }],
  ['a negative arena', { arenaBytes: -1 }],
  ['a tensor beyond the arena', { tensors: [{ name: 'x', type: 'int8', place: 'arena', offset: 0, dims: [4] }] }],
  ['an extent of zero', { tensors: [{ name: 'x', type: 'int8', place: 'port', dims: [0] }] }],
])('the writer refuses %s', (_, change) => {
  const plan = { ...TINY, variants: [{ ...TINY.variants[0], ...change }] } as unknown as PlanDescription;
  expect(() => writePlan(plan)).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
});

test('another version is told apart', () => {
  const bytes = writePlan(TINY);
  bytes[8] = 7;
  expect(() => readPlan(bytes)).toThrow(expect.objectContaining({ code: 'E_PLAN_VERSION' }));
});

test('the description for people', () => {
  expect(describePlan(TINY)).toBe(
    [
      'plan of model abababababab: 1 variant, 1 constant, 256 bytes of weights',
      'variant default: 1 node, arena 0 bytes',
      '  input x: int8 [1,4], 4 bytes',
      '  output y: int8 [1,4], 4 bytes',
      '    0 lut_s8 int8[1,4]@port *0.5 z3 <- int8[1,4]@port *0.5 z3, uint8[256]@constant  # relu',
    ].join('\n'),
  );
});

test('a plan of version 2 with weights as codes is read, and gives the bytes that the same network of today gives', () => {
  const golden = join(__dirname, 'golden/version-2.plan');
  const old = readFileSync(golden);
  expect(new DataView(old.buffer, old.byteOffset).getUint32(8, true)).toBe(2);
  expect(readPlan(old)).toEqual(readPlan(codedNetwork().write()));
  const outputs = [old, codedNetwork().write()].map((plan) => {
    const session = openSession(plan);
    const found = session.run(codedInputs());
    session.close();
    return found;
  });
  expect(outputs[0]).toEqual(outputs[1]);
});

test('a plan of version 1 is read, and gives the bytes that the same network of today gives', () => {
  const old = readFileSync(join(__dirname, 'golden/version-1.plan'));
  const network = smallNetwork(4, 8);
  expect(new DataView(old.buffer, old.byteOffset).getUint32(8, true)).toBe(1);
  expect(readPlan(old)).toEqual(readPlan(network.write()));
  const outputs = [old, network.write()].map((plan) => {
    const session = openSession(plan);
    const { scores } = session.run({ image: ramp(48) });
    session.close();
    return scores;
  });
  expect(outputs[0]).toEqual(outputs[1]);
});
