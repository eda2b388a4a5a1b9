import fc from 'fast-check';
import { anchorsOf } from '../../../lib/core/outputs/anchors';
import type { Sight } from '../../../lib/core/outputs/boxes';
import { fitOf, type PictureSize, type ResizeSpec } from '../../../lib/core/picture-fit';
import { close, decoded, expectRefusal, type Output } from './decode';

/** A model input of these pixels that sees a picture. */
function sight(size: readonly [number, number], picture: PictureSize, resize: Partial<ResizeSpec> = {}): Sight {
  return { size, fit: fitOf(picture, { size, resize: 'stretch', ...resize }) };
}
/** The model input is the picture. */
const PLAIN = sight([100, 200], { width: 200, height: 100 });

/** Columns of a YOLOv8 output, one a box: x, y, width, height, scores. */
function yolo(...columns: number[][]): Output {
  const rows = columns[0].map((_, row) => columns.map((column) => column[row]));
  return ['y', [1, rows.length, columns.length], rows.flat()];
}
const YOLO = { kind: 'boxes', layout: 'yolov8' } as const;
const edges = (found: { boxes: readonly { left: number; top: number; right: number; bottom: number }[] }) =>
  found.boxes.map(({ left, top, right, bottom }) => [left, top, right, bottom]);

describe('yolov8', () => {
  test('centre and size become edges, the best class counts', () => {
    const found = decoded(
      { ...YOLO, labels: ['cat', 'dog'] },
      [yolo([50, 40, 20, 10, 0.1, 0.8], [150, 40, 20, 10, 0.9, 0.2], [100, 40, 20, 10, 0.2, 0.24])],
      { sight: PLAIN },
    );
    expect(found).toEqual({
      kind: 'boxes',
      picture: { width: 200, height: 100 },
      boxes: [
        { class: 0, label: 'cat', score: 0.9, left: 140, top: 35, right: 160, bottom: 45 },
        { class: 1, label: 'dog', score: 0.8, left: 40, top: 35, right: 60, bottom: 45 },
      ],
    });
  });

  test.each<[what: string, spec: object, columns: number[][], boxes: number[][]]>([
    ['nothing', {}, [[50, 40, 20, 10, 0.2]], []],
    ['a score of just the threshold', { scoreThreshold: 0.2 }, [[50, 40, 20, 10, 0.2]], [[40, 35, 60, 45]]],
    ['a threshold of 0', { scoreThreshold: 0 }, [[50, 40, 20, 10, 0]], [[40, 35, 60, 45]]],
    [
      'logits',
      { activation: 'sigmoid' },
      [
        [50, 40, 20, 10, -1],
        [50, 40, 20, 10, -2],
      ],
      [[40, 35, 60, 45]],
    ],
    ['NaN scores', { scoreThreshold: 0 }, [[50, 40, 20, 10, NaN]], []],
    [
      'NaN edges',
      {},
      [
        [NaN, 40, 20, 10, 0.9],
        [50, 40, 20, NaN, 0.9],
      ],
      [],
    ],
    [
      'boxes over the edge',
      {},
      [
        [0, 0, 20, 10, 0.9],
        [195, 98, 20, 10, 0.8],
      ],
      [
        [0, 0, 10, 5],
        [185, 93, 200, 100],
      ],
    ],
    [
      'boxes outside',
      {},
      [
        [-50, 40, 20, 10, 0.9],
        [50, 300, 20, 10, 0.9],
      ],
      [],
    ],
    [
      'no extent',
      {},
      [
        [50, 40, 0, 10, 0.9],
        [50, 40, 10, -4, 0.9],
      ],
      [],
    ],
    ['boxes without end', {}, [[50, 40, Infinity, 10, 0.9]], [[0, 35, 200, 45]]],
    [
      'one thing',
      {},
      [
        [50, 40, 20, 10, 0.8],
        [51, 40, 20, 10, 0.9],
      ],
      [[41, 35, 61, 45]],
    ],
    [
      'at most one',
      { most: 1 },
      [
        [50, 40, 20, 10, 0.8],
        [150, 40, 20, 10, 0.9],
      ],
      [[140, 35, 160, 45]],
    ],
  ])('%s', (_, spec, columns, boxes) => {
    expect(edges(decoded({ ...YOLO, ...spec }, [yolo(...columns)], { sight: PLAIN }))).toEqual(boxes);
  });
});

describe('edges are those of the picture', () => {
  // A box over 50..70 x 20..40 of an input of 100 x 100 pixels.
  const output = yolo([60, 30, 20, 20, 0.9]);
  test.each<[what: string, picture: PictureSize, resize: Partial<ResizeSpec>, box: number[]]>([
    ['stretched', { width: 200, height: 50 }, {}, [100, 10, 140, 20]],
    // Scaled by 1/2 to 100 x 50, 25 rows above.
    ['letterboxed', { width: 200, height: 100 }, { resize: 'letterbox' }, [100, 0, 140, 30]],
    [
      'letterboxed in the corner',
      { width: 200, height: 100 },
      { resize: 'letterbox', align: 'start' },
      [100, 40, 140, 80],
    ],
    // Scaled by 1/2 to 100 x 200 and cut from row 50 on.
    ['cropped', { width: 200, height: 400 }, { resize: 'crop' }, [100, 140, 140, 180]],
    // Scaled to 150 x 150 and cut from 25 on.
    ['cropped out of more', { width: 300, height: 300 }, { resize: 'crop', shorterSide: 150 }, [150, 90, 190, 130]],
  ])('%s', (_, picture, resize, box) => {
    const found = decoded(YOLO, [output], { sight: sight([100, 100], picture, resize) });
    expect(found.picture).toEqual(picture);
    expect(edges(found)).toEqual([close(box)]);
  });

  test('property: a box of the picture comes back, whatever the resizing', () => {
    const extent = fc.integer({ min: 20, max: 300 });
    const resizing = fc.constantFrom<Partial<ResizeSpec>>(
      {},
      { resize: 'letterbox' },
      { resize: 'letterbox', align: 'start' },
      { resize: 'crop' },
      { resize: 'crop', shorterSide: 400 },
    );
    const shares = fc.tuple(fc.nat(9), fc.nat(9), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(extent, extent, extent, extent, resizing, shares, (width, height, rows, columns, resize, share) => {
        const seen = sight([rows, columns], { width, height }, resize);
        const { scaled, left, top } = seen.fit;
        const [x, y, w, h] = share.map((value) => value / 20);
        // The centre of the picture's box and its size, as the model sees them.
        const centre = [(x + w / 2) * scaled.width + left, (y + h / 2) * scaled.height + top];
        const output = yolo([...centre, w * scaled.width, h * scaled.height, 1]);
        const [found] = decoded(YOLO, [output], { sight: seen }).boxes;
        expect(found.left).toBeCloseTo(x * width, 6);
        expect(found.top).toBeCloseTo(y * height, 6);
        expect(found.right).toBeCloseTo((x + w) * width, 6);
        expect(found.bottom).toBeCloseTo((y + h) * height, 6);
      }),
    );
  });
});

describe('boxes beside scores', () => {
  const CORNERS = { kind: 'boxes', layout: 'corners', boxes: 'b', scores: 's' } as const;
  const outputs: Output[] = [
    ['b', [1, 3, 4], [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.75, 1, 0, 0, 1, 1]],
    ['s', [1, 3, 2], [0.1, 0.9, 0.3, 0.7, 0.8, 0.2]],
  ];

  test('corners are shares of the input; the background is nothing', () => {
    const found = decoded({ ...CORNERS, labels: ['nothing', 'face'] }, outputs, { sight: PLAIN });
    expect(found.boxes.map(({ class: index, label, score }) => [index, label, score])).toEqual([
      [1, 'face', 0.9],
      [1, 'face', 0.7],
    ]);
    expect(edges(found)).toEqual([close([20, 20, 60, 40]), close([100, 50, 150, 100])]);
    expect(decoded({ ...CORNERS, background: null }, outputs, { sight: PLAIN }).boxes).toHaveLength(3);
    expect(decoded({ ...CORNERS, background: 1 }, outputs, { sight: PLAIN }).boxes).toHaveLength(1);
  });

  test('anchors stand in the middle of cells, level by level, row by row', () => {
    const found = anchorsOf(
      [
        { stride: 8, sizes: [4, [10, 20]] },
        { stride: 16, sizes: [32] },
      ],
      [9, 16],
    );
    expect(found.map(({ x, y, width, height }) => [x, y, width, height])).toEqual([
      ...[
        [4, 4, 4, 4],
        [4, 4, 10, 20],
        [12, 4, 4, 4],
        [12, 4, 10, 20],
      ],
      ...[
        [4, 12, 4, 4],
        [4, 12, 10, 20],
        [12, 12, 4, 4],
        [12, 12, 10, 20],
      ],
      [8, 8, 32, 32],
    ]);
  });

  test.each<[what: string, activation: string, scores: number[], found: [number, number][]]>([
    [
      'NaN beside a number',
      'none',
      [NaN, 0.5, 0.6, NaN],
      [
        [0, 0.6],
        [1, 0.5],
      ],
    ],
    ['NaN beside a number, softmax', 'softmax', [NaN, 5, 5, NaN], []],
    ['nothing but NaN', 'none', [NaN, NaN, 0.5, 0.5], [[0, 0.5]]],
    [
      'minus infinity',
      'sigmoid',
      [-Infinity, -Infinity, -Infinity, 0],
      [
        [1, 0.5],
        [0, 0],
      ],
    ],
  ])('%s', (_, activation, scores, found) => {
    const given: Output[] = [
      ['b', [1, 2, 4], [0, 0, 0.1, 0.1, 0.5, 0.5, 1, 1]],
      ['s', [1, 2, 2], scores],
    ];
    const spec = { ...CORNERS, background: null, activation, scoreThreshold: 0 };
    const { boxes } = decoded(spec, given, { sight: PLAIN });
    expect(boxes.map(({ class: index, score }) => [index, score])).toEqual(found);
  });

  test('ssd: offsets from anchors', () => {
    const spec = { ...CORNERS, layout: 'ssd', anchors: [{ stride: 100, sizes: [[40, 20]] }] };
    // Anchors at (50, 50) and (150, 50); the first is moved by 0.1 * 40 and 0.1 * 2 * 20 and grows to twice the width.
    const data = [1, 2, 5 * Math.log(2), 0, 0, 0, 0, 0];
    const found = decoded(
      { ...spec, activation: 'softmax' },
      [
        ['b', [1, 2, 4], data],
        ['s', [1, 2, 2], [0, Math.log(3), 0, Math.log(2)]],
      ],
      { sight: PLAIN },
    );
    expect(found.boxes.map(({ score }) => score)).toEqual([expect.closeTo(0.75, 12), expect.closeTo(2 / 3, 12)]);
    expect(edges(found)).toEqual([close([14, 44, 94, 64]), [130, 40, 170, 60]]);
    const still = decoded(
      { ...spec, variances: [1, 1] },
      [
        ['b', [1, 2, 4], [0, 1, 0, 0, 0, 0, 0, 0]],
        ['s', [1, 2, 2], [0, 1, 1, 0]],
      ],
      { sight: PLAIN },
    );
    expect(edges(still)).toEqual([[30, 60, 70, 80]]);
  });

  test.each<[spec: object, outputs: Output[], message: RegExp]>([
    [
      YOLO,
      [['y', [1, 4, 3], Array<number>(12).fill(0)]],
      /outputs\.output: .*\[1, 4 \+ classes, boxes\], found 'y of \[1, 4, 3\]'/,
    ],
    [YOLO, [['y', [2, 5, 1], Array<number>(10).fill(0)]], /outputs\.output/],
    [{ ...YOLO, labels: ['a', 'b'] }, [yolo([0, 0, 0, 0, 0])], /outputs\.labels: .*not 2/],
    [CORNERS, [['b', [1, 4, 3], Array<number>(12).fill(0)], outputs[1]], /outputs\.boxes: .*\[1, boxes, 4\]/],
    [CORNERS, [outputs[0], ['s', [1, 2, 3], Array<number>(6).fill(0)]], /outputs\.scores: .*\[1, 3, classes\]/],
    [{ ...CORNERS, background: 2 }, outputs, /outputs\.background: .*0 to 1/],
    [{ ...CORNERS, labels: ['face'] }, outputs, /outputs\.labels: .*not 1/],
    [{ ...CORNERS, scores: 'z' }, outputs, /outputs\.scores: .*\(b, s\), found 'z'/],
    [{ ...CORNERS, layout: 'ssd', anchors: [{ stride: 100, sizes: [8] }] }, outputs, /outputs\.anchors: .*not 2/],
    [{ ...CORNERS, layout: 'ssd', anchors: [{ stride: 100, sizes: [8, 9] }] }, outputs, /outputs\.anchors: .*not 4/],
  ])('refuses %j', (spec, given, message) => {
    expectRefusal(() => decoded(spec as typeof YOLO, given, { sight: PLAIN }), message);
  });

  test('refuses models without a picture', () => {
    expectRefusal(() => decoded(YOLO, [yolo([0, 0, 0, 0, 0])]), /outputs\.kind: .*picture/);
  });
});
