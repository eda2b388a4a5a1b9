import type { AnchorLevels } from '../output-spec';

/** Centre and size of an anchor, in pixels of the model input. */
export interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Anchors of a single-shot detector (Liu et al. 2016, SSD, section 2.2): level by level, row by row, cell by cell, and in every
 * cell one of each size around its centre. A level has `ceil(extent / stride)` cells along an axis; those at the end may reach out
 * of the input.
 */
export function anchorsOf(levels: AnchorLevels, [height, width]: readonly [number, number]): Anchor[] {
  return levels.flatMap(({ stride, sizes }) => {
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    return Array.from({ length: rows * columns * sizes.length }, (_, index) => {
      const size = sizes[index % sizes.length];
      const cell = Math.floor(index / sizes.length);
      const [w, h] = typeof size === 'number' ? [size, size] : size;
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      return { x: (column + 0.5) * stride, y: (row + 0.5) * stride, width: w, height: h };
    });
  });
}
