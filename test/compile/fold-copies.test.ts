import fc from 'fast-check';
import { assignMemory } from '../../lib/compile/assign-memory';
import { findOverwrite } from '../../lib/compile/find-overwrite';
import { foldCopies } from '../../lib/compile/fold-copies';
import { fuseResiduals } from '../../lib/compile/fuse-residual';
import { lowerGraph } from '../../lib/compile/lower-graph';
import { areApart, composeParts, filledPart, type Part, partOfWalk, walkPart } from '../../lib/compile/part';
import type { Buffer, Step } from '../../lib/compile/step';
import { Rng } from '../../lib/core/rng';
import { toNumbers } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { readPlan } from '../../lib/plan/reader';
import { randomNetwork } from './random-networks';
import { compiled, runEngine, runReference } from './run-case';
import { feedsOf, type Sketch, sketch } from './small-graphs';

type Draw = (s: Sketch, x: string) => string | string[];

/** Networks over x float32 [1, 4, 6, 6] with the copies that are left, one of which turns channels last, one back for each output. */
const NETWORKS: readonly (readonly [what: string, copies: number, draw: Draw])[] = [
  [
    'convolutions put together by channels',
    2,
    (s, x) => s.conv(s.b.node('Concat', [s.conv(x, 4, 3), s.conv(x, 4, 5)], { axis: 1 }), 8, 4),
  ],
  [
    'the same, one within the other',
    2,
    (s, x) => {
      const stem = s.conv(s.conv(x, 4, 24), 24, 4);
      const inner = s.b.node('Concat', [s.conv(stem, 4, 3), s.conv(stem, 4, 5)], { axis: 1 });
      return s.conv(s.b.node('Concat', [inner, s.conv(inner, 8, 2)], { axis: 1 }), 10, 4);
    },
  ],
  [
    'a split by channels, of which one half goes on',
    2,
    (s, x) => {
      const [a, b] = s.b.nodes('Split', [s.conv(x, 4, 8)], 2, { axis: 1, num_outputs: 2 });
      return s.conv(s.b.node('Add', [s.conv(a, 4, 4), b]), 4, 4);
    },
  ],
  [
    'every channel but the first and last, pooled',
    2,
    (s, x) => {
      const inner = s.b.node('Slice', [s.conv(x, 4, 6), s.ints(1), s.ints(5), s.ints(1)]);
      return s.conv(s.b.node('MaxPool', [inner], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), 4, 4);
    },
  ],
  [
    'bytes of two grids that are one',
    0,
    (s, x) => {
      const q = s.pair(x);
      const parts = [s.pair(s.conv(q, 4, 3)), s.pair(s.conv(q, 4, 5))];
      return s.pair(s.conv(s.pair(s.b.node('Concat', parts, { axis: 1 })), 8, 4));
    },
  ],
];

const graphOf = (draw: Draw) =>
  sketch((b, s) => {
    const made = draw(s, b.input('x', 'float32', [1, 4, 6, 6]));
    return Array.isArray(made) ? made : [made];
  });

describe('copies that only put channels together or take them apart', () => {
  test.each(NETWORKS)('%s: %d copies are left', async (_, copies, draw) => {
    const graph = graphOf(draw);
    const { plan } = compiled(graph);
    const [{ nodes, tensors }] = readPlan(plan).variants;
    expect(nodes.filter(({ op }) => op === 'copy_nd')).toHaveLength(copies);
    expect(tensors.some(({ pitch }) => pitch !== undefined)).toBe(true);
    const feeds = feedsOf(graph, 3);
    const found = runEngine(plan, feeds, 2);
    for (const [name, tensor] of await runReference(graph, feeds)) {
      const expected = toNumbers(tensor);
      const largest = Math.max(...expected.map(Math.abs));
      for (const [i, value] of expected.entries())
        expect(Math.abs(Number(found[name][i]) - value)).toBeLessThanOrEqual(1e-5 * largest);
    }
  });

  test('150 random networks: the memory map stays right, no arena grows, and copies go', () => {
    let gone = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const { graph } = randomNetwork(new Rng(seed), seed % 2 ? 'float' : 'quantized');
      const steps = fuseResiduals(lowerGraph(prepare(graph).graph).state.program.steps);
      const folded = foldCopies(steps);
      const memory = assignMemory(folded);
      expect(findOverwrite(folded, memory)).toBeUndefined();
      expect(memory.arenaBytes).toBeLessThanOrEqual(assignMemory(steps).arenaBytes);
      gone += steps.length - folded.length;
    }
    expect(gone).toBeGreaterThan(20);
  });

  test('a buffer that lasts beyond the steps keeps its place', () => {
    const steps = joined();
    expect(foldCopies(steps)).toHaveLength(3);
    expect(foldCopies(steps, new Set([steps[0].outputs[0].buffer.id]))).toHaveLength(4);
  });
});

/** Two tables, whose results are put together by rows of 2 and 3, and a table over all. */
function joined(): Step[] {
  const buffer = (id: number, count: number, kind: 'arena' | 'port' = 'arena'): Buffer => ({
    ...{ id, name: `b${id}`, type: 'int8', count, quantization: undefined, place: { kind } },
  });
  const [a, b, whole] = [buffer(1, 8), buffer(2, 12), buffer(3, 20)];
  const table = buffer(0, 256, 'port');
  const step = (op: string, to: Buffer, from: Buffer, params: unknown = {}): Step =>
    ({
      ...{ name: `${op}:${to.name}`, op, params },
      outputs: [{ buffer: to, dims: [to.count] }],
      inputs: [{ buffer: from, dims: [from.count] }, ...(op === 'lut_s8' ? [{ buffer: table, dims: [256] }] : [])],
    }) as unknown as Step;
  const copy = (from: Buffer, row: number, dstOffset: number): Step =>
    step('copy_nd', whole, from, {
      ...{ extents: [4, row], srcOffset: 0, dstOffset, srcStrides: [row, 1], dstStrides: [5, 1] },
    });
  return [
    step('lut_s8', a, buffer(4, 8, 'port')),
    step('lut_s8', b, buffer(5, 12, 'port')),
    copy(a, 2, 0),
    copy(b, 3, 2),
    step('lut_s8', buffer(6, 20, 'port'), whole),
  ];
}

describe('findOverwrite looks at parts element by element', () => {
  const steps = foldCopies(joined());
  const moved = (by: Partial<Part>): readonly Step[] =>
    steps.map((step, i) => {
      const [output] = step.outputs;
      return i === 1 ? ({ ...step, outputs: [{ ...output, part: { ...output.part!, ...by } }] } as Step) : step;
    });

  test('as they are, nothing is wrong', () => {
    expect(steps.map(({ op }) => op)).toEqual(['lut_s8', 'lut_s8', 'lut_s8']);
    expect(steps[1].outputs[0].part).toEqual({ offset: 2, row: 3, pitch: 5 });
    expect(findOverwrite(steps, assignMemory(steps))).toBeUndefined();
  });

  test.each<[string, Partial<Part>, RegExp]>([
    ['one element to the left', { offset: 1 }, /a part of 'b2' that is not free/],
    ['one to the right', { offset: 3 }, /a part of 'b2' that is not free/],
    ['before the buffer', { offset: -1 }, /that is not free/],
    ['with another pitch', { pitch: 4 }, /that is not free/],
    ['in rows of one element too many', { row: 4 }, /that is not free/],
    ['in rows of one too few', { row: 2, pitch: 3 }, /that is not free/],
  ])('%s', (_, by, fault) => {
    expect(findOverwrite(moved(by), assignMemory(moved(by)))).toMatch(fault);
  });

  test('a part that nobody wrote cannot be read', () => {
    const lacking = steps.filter((_, i) => i !== 1);
    expect(findOverwrite(lacking, assignMemory(lacking))).toMatch(/which is not in memory/);
  });
});

describe('parts, element by element', () => {
  const places = ({ offset, row, pitch }: Part, count: number): number[] =>
    Array.from({ length: count }, (_, i) => offset + Math.floor(i / row) * pitch + (i % row));
  /** A part of rows times row elements, and gaps behind each row. */
  const part = fc
    .record({
      offset: fc.nat(12),
      row: fc.integer({ min: 1, max: 6 }),
      gap: fc.nat(5),
      rows: fc.integer({ min: 1, max: 5 }),
    })
    .map(({ offset, row, gap, rows }) => ({ offset, row, pitch: row + gap, count: row * rows }));
  const walk = fc
    .array(fc.record({ extent: fc.integer({ min: 1, max: 4 }), gap: fc.nat(2) }), { minLength: 1, maxLength: 3 })
    .chain((factors) => {
      // Strides that grow: no element twice.
      let next = 1;
      const strides = factors.map(({ extent, gap }) => {
        const stride = next + gap;
        next = stride * extent;
        return stride;
      });
      const extents = factors.map(({ extent }) => extent);
      return fc.record({
        walk: fc.record({
          extents: fc.constant(extents),
          offset: fc.nat(4),
          strides: fc.constant(strides),
          others: fc.constant(extents.map((_, i) => extents.slice(0, i).reduce((a, b) => a * b, 1))),
        }),
        count: fc.constant(extents.reduce((a, b) => a * b, 1)),
      });
    });
  const visits = (extents: readonly number[], strides: readonly number[], offset: number): number[] =>
    extents.reduce<number[]>(
      (from, extent, i) => Array.from({ length: extent }, (_, k) => from.map((at) => at + k * strides[i])).flat(),
      [offset],
    );

  test('parts that are called apart have no element in common', () => {
    fc.assert(
      fc.property(part, part, (a, b) => {
        if (areApart(a, b)) expect(places(a, a.count).filter((at) => places(b, b.count).includes(at))).toEqual([]);
      }),
    );
  });

  test('a part of a part lies where its elements do', () => {
    let made = 0;
    fc.assert(
      fc.property(part, part, (inner, outer) => {
        const last = Math.max(...places(inner, inner.count));
        fc.pre(last < outer.count);
        const composed = composeParts(inner, inner.count, outer, outer.count);
        if (composed === undefined) return;
        made++;
        const within = places(outer, outer.count);
        expect(places(composed, inner.count)).toEqual(places(inner, inner.count).map((at) => within[at]));
      }),
    );
    expect(made).toBeGreaterThan(5);
  });

  test('a walk over a buffer that is a part visits the same elements in the same order', () => {
    let made = 0;
    fc.assert(
      fc.property(walk, part, ({ walk: over }, outer) => {
        fc.pre(Math.max(...visits(over.extents, over.strides, over.offset)) < outer.count);
        const moved = walkPart(over, outer, outer.count);
        if (moved === undefined) return;
        made++;
        const within = places(outer, outer.count);
        const pairs = (
          extents: readonly number[],
          strides: readonly number[],
          others: readonly number[],
          at: number,
        ) => {
          const from = visits(extents, strides, at);
          return visits(extents, others, 0).map((other, i) => [other, from[i]] as const);
        };
        const sorted = (list: (readonly [number, number])[]) => list.sort(([a], [b]) => a - b);
        expect(sorted(pairs(moved.extents, moved.strides, moved.others, moved.offset))).toEqual(
          sorted(
            pairs(over.extents, over.strides, over.others, over.offset).map(
              ([other, at]) => [other, within[at]] as const,
            ),
          ),
        );
      }),
    );
    expect(made).toBeGreaterThan(5);
  });

  test('what a walk fills is a part of these elements', () => {
    let made = 0;
    fc.assert(
      fc.property(walk, ({ walk: over, count }) => {
        const sort = (list: number[]) => list.sort((a, b) => a - b);
        const filled = filledPart(over);
        if (filled !== undefined) {
          made++;
          expect(filled.count).toBe(count);
          expect(sort(places(filled, count))).toEqual(sort(visits(over.extents, over.strides, over.offset)));
        }
        // The other side, dense, goes to the places of the walk in order.
        const target = partOfWalk(
          { ...over, offset: 0, strides: over.others, others: over.strides },
          count,
          over.offset,
        );
        if (target === undefined) return;
        const to = visits(over.extents, over.strides, over.offset);
        const expected = visits(over.extents, over.others, 0).map((at, i) => [at, to[i]] as const);
        expect(places(target, count)).toEqual(expected.sort(([a], [b]) => a - b).map(([, at]) => at));
      }),
    );
    expect(made).toBeGreaterThan(5);
  });
});
