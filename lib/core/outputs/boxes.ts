import type { BoxesSpec } from '../output-spec';
import type { PictureFit, PictureSize } from '../picture-fit';
import { type Activation, activate } from './activation';
import { anchorsOf } from './anchors';
import { type ClassScore, requireLabels, scoreOf } from './classes';
import { type Box, type Candidate, suppress } from './non-maximum-suppression';
import { badOutput, type Matrix, matrixOf, numbersOfRow, type OutputArray, transposed } from './output-array';

/** Where the model saw the picture. */
export interface Sight {
  /** Height and width of the model input, in pixels. */
  readonly size: readonly [height: number, width: number];
  readonly fit: PictureFit;
}

/** Something in a picture; edges in its pixels, from its left upper corner. */
export type FoundBox = ClassScore & Box;

/** Everything found in a picture, best first. */
export interface DecodedBoxes {
  readonly kind: 'boxes';
  /** Extents that the edges are within. */
  readonly picture: PictureSize;
  readonly boxes: readonly FoundBox[];
}

/** Edges of box `row` in pixels of the model input. */
type BoxAt = (row: number) => Box;

/**
 * What a detector found in the picture: for every box its best class, unless that is the background or its score is NaN or below
 * the threshold; cut off at the edges of the picture, which leaves out what lies outside; then non-maximum suppression.
 * @throws E_OPTION_VALUE for outputs or labels that do not fit the spec
 */
export function decodeBoxes(
  spec: BoxesSpec,
  outputs: ReadonlyMap<string, { readonly name: string } & OutputArray>,
  { size, fit }: Sight,
): DecodedBoxes {
  const { scores, first, boxAt } = spec.layout === 'yolov8' ? yolov8(outputs) : separate(spec, outputs, size);
  const classes = scores.columns - first;
  const named = outputs.get('output') ?? outputs.get('scores')!;
  requireLabels(spec.labels, classes, named.name, named.dims);
  const background = spec.layout === 'yolov8' ? null : spec.background;
  if (background !== null && background >= classes)
    throw badOutput('background', `a class from 0 to ${classes - 1}, or null`, named.name, named.dims);
  const candidates: Candidate[] = [];
  for (const [row, best] of bestClasses(scores, first).entries()) {
    if (best === NONE || best === background) continue;
    const score = scoreAt(spec.activation, scores, row, first, best);
    if (!(score >= spec.scoreThreshold)) continue;
    const box = visible(boxAt(row), fit);
    if (box !== undefined) candidates.push({ class: best, score, ...box });
  }
  const kept = suppress(candidates, spec).map(({ class: index, score, ...box }) => ({
    ...scoreOf(index, score, spec.labels),
    ...box,
  }));
  return { kind: 'boxes', picture: fit.picture, boxes: kept };
}

/** Stands for a class where all scores are NaN. */
const NONE = -1;

/**
 * The class of the largest number in every row from column `first` on, which is that of the highest score, too; the first of equals.
 * Column by column: that is how YOLO has them in memory.
 */
function bestClasses({ rows, columns, rowStride, columnStride, data }: Matrix, first: number): Int32Array {
  const best = new Int32Array(rows).fill(NONE);
  const largest = new Float64Array(rows);
  for (let column = first; column < columns; column++)
    for (let row = 0; row < rows; row++) {
      const value = data[row * rowStride + column * columnStride];
      if (best[row] === NONE ? Number.isNaN(value) : !(value > largest[row])) continue;
      best[row] = column - first;
      largest[row] = value;
    }
  return best;
}

/** The score of a class; without softmax it needs no other number of the row. */
function scoreAt(activation: Activation, scores: Matrix, row: number, first: number, best: number): number {
  const [from, to] = activation === 'softmax' ? [first, scores.columns] : [first + best, first + best + 1];
  return activate(activation, numbersOfRow(scores, row, from, to))[first + best - from];
}

interface RawBoxes {
  /** Scores [boxes, classes], from column `first` on. */
  readonly scores: Matrix;
  readonly first: number;
  readonly boxAt: BoxAt;
}

/** One output [1, 4 + classes, boxes]: centre, width and height in pixels of the input, then the scores. */
function yolov8(outputs: ReadonlyMap<string, { readonly name: string } & OutputArray>): RawBoxes {
  const output = outputs.get('output')!;
  const matrix = matrixOf(output);
  if (matrix === undefined || matrix.rows < 5)
    throw badOutput('output', 'an output of [1, 4 + classes, boxes]', output.name, output.dims);
  const scores = transposed(matrix);
  const boxAt = (row: number) => {
    const [x, y, width, height] = numbersOfRow(scores, row, 0, 4);
    return around(x, y, width, height);
  };
  return { scores, first: 4, boxAt };
}

/** Boxes [1, N, 4] beside scores [1, N, classes]. */
function separate(
  spec: Exclude<BoxesSpec, { layout: 'yolov8' }>,
  outputs: ReadonlyMap<string, { readonly name: string } & OutputArray>,
  size: Sight['size'],
): RawBoxes {
  const [boxes, scores] = [outputs.get('boxes')!, outputs.get('scores')!];
  const places = matrixOf(boxes);
  if (places === undefined || places.columns !== 4)
    throw badOutput('boxes', 'an output of [1, boxes, 4]', boxes.name, boxes.dims);
  const matrix = matrixOf(scores);
  if (matrix === undefined || matrix.rows !== places.rows)
    throw badOutput('scores', `an output of [1, ${places.rows}, classes]`, scores.name, scores.dims);
  const [height, width] = size;
  if (spec.layout === 'corners') {
    const boxAt = (row: number) => {
      const [left, top, right, bottom] = numbersOfRow(places, row, 0, 4);
      return { left: left * width, top: top * height, right: right * width, bottom: bottom * height };
    };
    return { scores: matrix, first: 0, boxAt };
  }
  const anchors = anchorsOf(spec.anchors, size);
  if (anchors.length !== places.rows)
    throw badOutput('anchors', `as many anchors as boxes, not ${anchors.length}`, boxes.name, boxes.dims);
  const [centre, extent] = spec.variances;
  // Liu et al. 2016, SSD, equation 2, with the variances that its implementation divides the offsets by.
  const boxAt = (row: number) => {
    const anchor = anchors[row];
    const [dx, dy, dw, dh] = numbersOfRow(places, row, 0, 4);
    return around(
      anchor.x + dx * centre * anchor.width,
      anchor.y + dy * centre * anchor.height,
      anchor.width * Math.exp(dw * extent),
      anchor.height * Math.exp(dh * extent),
    );
  };
  return { scores: matrix, first: 0, boxAt };
}

function around(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

/** The box in pixels of the picture, within its edges; undefined when nothing of it is inside, or an edge is no number. */
function visible(box: Box, { picture, scaled, left, top }: PictureFit): Box | undefined {
  const [perX, perY] = [picture.width / scaled.width, picture.height / scaled.height];
  const within = (value: number, end: number) => Math.min(end, Math.max(0, value));
  const found = {
    left: within((box.left - left) * perX, picture.width),
    top: within((box.top - top) * perY, picture.height),
    right: within((box.right - left) * perX, picture.width),
    bottom: within((box.bottom - top) * perY, picture.height),
  };
  return found.left < found.right && found.top < found.bottom ? found : undefined;
}
