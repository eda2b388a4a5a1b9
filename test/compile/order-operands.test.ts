import { orderOperands } from '../../lib/compile/families/pair-operands';
import { Program } from '../../lib/compile/program';
import { plainView, sizeOf, type View } from '../../lib/compile/view';
import { BINARY_OPERATIONS } from '../../lib/core/binary-operation';
import { elementCount } from '../../lib/ir/tensor';

const EXTENTS = [2, 3, 4];

/** Both operands as the kernel gets them, when the first has `a` and the second `b` as extents. */
function ordered(a: readonly number[], b: readonly number[], commutative: boolean) {
  const program = new Program();
  const view = (name: string, dims: readonly number[]): View =>
    plainView(program.buffer(name, 'float32', elementCount(dims)), dims);
  const { lead, other } = orderOperands(program, [view('a', a), view('b', b)], EXTENTS, commutative);
  return { lead: lead.buffer.name, other: other.buffer.name, count: sizeOf(lead), steps: program.steps.length };
}

const count = elementCount(EXTENTS);

test('the list has operations that commute', () =>
  expect(BINARY_OPERATIONS.filter(({ commutative }) => commutative).length).toBeGreaterThan(0));

test.each([
  ['whole, whole', EXTENTS, EXTENTS],
  ['whole, repeated', EXTENTS, [4]],
])('%s: operands stay in their places', (_, a, b) => {
  for (const commutative of [true, false])
    expect(ordered(a, b, commutative)).toEqual({ lead: 'a', other: 'b', count, steps: 0 });
});

test('repeated, whole: a commutative operation takes them in turn, another one writes the first out', () => {
  expect(ordered([4], EXTENTS, true)).toEqual({ lead: 'b', other: 'a', count, steps: 0 });
  expect(ordered([4], EXTENTS, false)).toEqual({ lead: 'a:arranged', other: 'b', count, steps: 1 });
});

test('repeated, repeated: the first is written out', () => {
  for (const commutative of [true, false])
    expect(ordered([3, 1], [4], commutative)).toEqual({ lead: 'a:arranged', other: 'b', count, steps: 1 });
});
