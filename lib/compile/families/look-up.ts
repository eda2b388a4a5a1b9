import { sameGrid, tableOnGrid } from '../grid';
import type { QuantizedView } from '../lowering';
import type { Program } from '../program';
import type { Quantization } from '../step';
import { moveView } from '../view';

/** The view on another int8 grid: itself when the grids agree, else through a table. */
export function requantize(
  program: Program,
  name: string,
  view: QuantizedView,
  value: string,
  quantization: Quantization,
): QuantizedView {
  return sameGrid(view.quantization, quantization)
    ? view
    : lookUp(program, name, view, value, quantization, (real) => real);
}

/** Applies `real -> real` between int8 grids by a 256-entry table. */
export function lookUp(
  program: Program,
  name: string,
  source: QuantizedView,
  value: string,
  quantization: Quantization,
  function_: (real: number) => number,
): QuantizedView {
  const x = program.dense(source);
  const buffer = program.buffer(value, 'int8', x.buffer.count, quantization);
  const dims = [buffer.count];
  const table = tableOnGrid(x.quantization, quantization, function_);
  program.emit({
    name,
    op: 'lut_s8',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: x.buffer, dims }, program.constant(`${name}:table`, 'uint8', [256], table)],
  });
  return { ...moveView(x, buffer), quantization };
}
