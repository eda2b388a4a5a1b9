import { Program } from '../../lib/compile/program';
import { repeatOperand } from '../../lib/compile/repeat-operand';
import { broadcastView, plainView } from '../../lib/compile/view';

/** A constant with one number per row, written out beside `rows` x 4096 numbers. */
function besideRows(rows: number) {
  const program = new Program();
  const extents = [rows, 2 ** 12];
  const constant = program.constant('scales', 'int8', [rows, 1], new Int8Array(rows).fill(7));
  const b = broadcastView(plainView(constant.buffer, [rows, 1]), extents)!;
  return () => repeatOperand(program, b, plainView(program.buffer('a', 'int8', rows * 2 ** 12), extents));
}

test('a constant is written out to 2^24 elements, and no more', () => {
  const { buffer } = besideRows(2 ** 12)();
  expect(buffer.count).toBe(2 ** 24);
  expect(besideRows(2 ** 12 + 1)).toThrow(`'scales' would have to be repeated to ${2 ** 24 + 2 ** 12} elements`);
});
