import { assignMemory, type MemoryMap } from '../../lib/compile/assign-memory';
import { findOverwrite } from '../../lib/compile/find-overwrite';
import { fuseResiduals } from '../../lib/compile/fuse-residual';
import { lowerGraph } from '../../lib/compile/lower-graph';
import type { Buffer, Place, Step } from '../../lib/compile/step';
import { Rng } from '../../lib/core/rng';
import { prepare } from '../../lib/passes/pipeline';
import { PLAN_TYPE_BYTES } from '../../lib/plan/format';
import { randomNetwork } from './random-networks';

let nextId = 0;
const made = (count: number, place: Place = { kind: 'arena' }): Buffer => ({
  id: nextId++,
  name: `b${nextId}`,
  type: 'int8',
  count,
  quantization: undefined,
  place,
});

type Op = 'binary_s8' | 'lut_s8' | 'max_pool_s8' | 'conv_s8' | 'copy_nd';
/** A step as the memory planner sees it: operation and operands only. */
const step = (op: Op, output: Buffer, ...inputs: (Buffer | undefined)[]): Step =>
  ({
    name: `${op}-${output.name}`,
    op,
    outputs: [{ buffer: output, dims: [output.count] }],
    inputs: inputs.map((buffer) => buffer && { buffer, dims: [buffer.count] }),
  }) as unknown as Step;

const port = (count: number): Buffer => made(count, { kind: 'port' });
const bytesOf = (steps: readonly Step[]): number => {
  const all = new Map(steps.flatMap(({ outputs }) => outputs.map(({ buffer }) => [buffer.id, buffer])));
  return [...all.values()]
    .filter(({ place }) => place.kind === 'arena')
    .reduce((sum, { count, type }) => sum + Math.ceil((count * PLAN_TYPE_BYTES[type]) / 64) * 64, 0);
};

describe('assignMemory', () => {
  test('400 random networks: nothing alive is overwritten, offsets are aligned, never more than all buffers together', () => {
    let shared = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const { graph } = randomNetwork(new Rng(seed), seed % 2 ? 'float' : 'quantized');
      const steps = fuseResiduals(lowerGraph(prepare(graph).graph).state.program.steps);
      const memory = assignMemory(steps);
      expect(findOverwrite(steps, memory)).toBeUndefined();
      expect([...memory.offsets.values()].every((offset) => offset % 64 === 0)).toBe(true);
      expect(memory.arenaBytes).toBeLessThanOrEqual(bytesOf(steps));
      if (memory.arenaBytes < bytesOf(steps)) shared++;
    }
    expect(shared).toBeGreaterThan(200);
  });

  test('a chain of element-wise steps stays in one place', () => {
    const [a, b, c] = [made(64), made(64), made(64)];
    const steps = [
      step('copy_nd', a, port(64)),
      step('lut_s8', b, a),
      step('lut_s8', c, b),
      step('copy_nd', port(64), c),
    ];
    const { offsets, arenaBytes } = assignMemory(steps);
    expect([a, b, c].map(({ id }) => offsets.get(id))).toEqual([0, 0, 0]);
    expect(arenaBytes).toBe(64);
  });

  test.each([
    ['is read later', (a: Buffer, b: Buffer) => [step('lut_s8', b, a), step('binary_s8', made(64), a, b)]],
    ['belongs to a kernel that needs it whole', (a: Buffer, b: Buffer) => [step('max_pool_s8', b, a)]],
    ['is the input of the convolution too', (a: Buffer, b: Buffer) => [step('conv_s8', b, a, ...none(4), a)]],
    ['is smaller than the result', (a: Buffer, b: Buffer) => [step('binary_s8', b, port(128), a)], 128],
  ])('no result lies on an input that %s', (_, make, count = 64) => {
    const [a, b] = [made(64), made(count)];
    const steps = [step('copy_nd', a, port(64)), ...make(a, b)];
    const { offsets } = assignMemory(steps);
    expect(offsets.get(b.id)).not.toBe(offsets.get(a.id));
    expect(findOverwrite(steps, assignMemory(steps))).toBeUndefined();
  });

  test('a residual may carry the sum', () => {
    const [x, residual, y] = [made(64), made(64), made(64)];
    const steps = [
      step('copy_nd', x, port(64)),
      step('copy_nd', residual, port(64)),
      step('conv_s8', y, x, ...none(4), residual),
    ];
    const { offsets, arenaBytes } = assignMemory(steps);
    expect(offsets.get(y.id)).toBe(offsets.get(residual.id));
    expect(arenaBytes).toBe(128);
  });
});

function none(count: number): undefined[] {
  return new Array<undefined>(count).fill(undefined);
}

describe('findOverwrite', () => {
  const [a, b, c] = [made(64), made(64), made(64)];
  const steps = [step('copy_nd', a, port(64)), step('max_pool_s8', b, a), step('binary_s8', c, a, b)];
  const at = (offsets: readonly number[], arenaBytes = 192): MemoryMap => ({
    offsets: new Map([a, b, c].map(({ id }, i) => [id, offsets[i]])),
    arenaBytes,
  });

  test.each([
    ['all apart', at([0, 64, 128]), undefined],
    ['in place where the kernel allows it', at([0, 64, 0]), undefined],
    ['in place where it does not', at([0, 0, 64]), /overwrites its input/],
    ['half on an input', at([0, 64, 32]), /overwrites its input/],
    ['beyond the arena', at([0, 64, 192]), /outside the arena/],
    ['nowhere', at([0, 64]), /outside the arena/],
  ])('%s', (_, memory, fault) => {
    const found = findOverwrite(steps, memory);
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(fault);
  });

  test('a buffer that another one has replaced cannot be read', () => {
    const other = made(64);
    const more = [steps[0], step('copy_nd', other, port(64)), ...steps.slice(1)];
    const memory = at([0, 64, 128]);
    const clashing = { ...memory, offsets: new Map([...memory.offsets, [other.id, 32]]) };
    expect(findOverwrite(more, clashing)).toMatch(/which is not in memory/);
    expect(findOverwrite(steps.slice(1), memory)).toMatch(/which is not in memory/);
  });
});
