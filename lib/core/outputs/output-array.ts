import { HoneError } from '../error';

/** Numbers of one model output, in row-major order. */
export interface OutputArray {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A matrix inside an output: element (row, column) is `data[row * rowStride + column * columnStride]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly data: ArrayLike<number>;
}

/**
 * The output as a matrix `[rows, columns]`, extents of 1 before it left out; undefined when more than two extents are left, or
 * fewer.
 */
export function matrixOf({ dims, data }: OutputArray): Matrix | undefined {
  const inner = dims.slice(Math.max(0, dims.length - 2));
  if (inner.length < 2 || dims.slice(0, -2).some((extent) => extent !== 1)) return undefined;
  const [rows, columns] = inner;
  return { rows, columns, rowStride: columns, columnStride: 1, data };
}

/** The matrix with rows and columns swapped; nothing is copied. */
export function transposed({ rows, columns, rowStride, columnStride, data }: Matrix): Matrix {
  return { rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride, data };
}

/** The numbers of a row from column `from` to before column `to`. */
export function numbersOfRow(
  { rowStride, columnStride, data }: Matrix,
  row: number,
  from: number,
  to: number,
): Float64Array {
  const found = new Float64Array(to - from);
  for (let column = from; column < to; column++) found[column - from] = data[row * rowStride + column * columnStride];
  return found;
}

/** What a decoder says of an output that it cannot read. */
export function badOutput(key: string, expected: string, name: string, dims: readonly (number | string)[]): HoneError {
  return new HoneError('E_OPTION_VALUE', {
    option: `outputs.${key}`,
    expected,
    found: `${name} of [${dims.join(', ')}]`,
  });
}
