import { outputsOf, parseOutputSpec } from '../../../lib/core/output-spec';

const ANCHORS = [{ stride: 8, sizes: [10, [16, 24]] }];
const SSD = { kind: 'boxes', layout: 'ssd', boxes: 'b', scores: 's', anchors: ANCHORS };
const BOXES = { activation: 'none', scoreThreshold: 0.25, iouThreshold: 0.45, perClass: true, most: 100 };

describe('defaults are filled in, and the spec survives JSON', () => {
  test.each<[given: object, full: object]>([
    [{ kind: 'classes' }, { activation: 'none', top: 5 }],
    [{ kind: 'boxes', layout: 'yolov8' }, BOXES],
    [
      { kind: 'boxes', layout: 'corners', boxes: 'b', scores: 's' },
      { ...BOXES, background: 0 },
    ],
    [SSD, { ...BOXES, background: 0, variances: [0.1, 0.2] }],
    [
      { kind: 'ctc', alphabet: 'ab🙂' },
      { activation: 'none', axes: 'NTC', alphabet: ['a', 'b', '🙂'], blank: 0 },
    ],
    [{ kind: 'threshold' }, { activation: 'none', index: 0, on: 0.5, off: 0.5, minOn: 1, minOff: 1 }],
    [
      { kind: 'threshold', on: 0.7, off: 0.4 },
      { activation: 'none', index: 0, minOn: 1, minOff: 1 },
    ],
  ])('%j', (given, full) => {
    const found = parseOutputSpec(given);
    expect(found).toEqual({ ...full, ...given, ...('alphabet' in full && { alphabet: full.alphabet }) });
    expect(parseOutputSpec(JSON.parse(JSON.stringify(found)))).toEqual(found);
  });
});

describe('a mistake is named by its key, with what was expected and found', () => {
  test.each<[given: unknown, code: string, message: RegExp]>([
    [null, 'E_OPTION_VALUE', /outputs: expected an object, found 'null'/],
    [[], 'E_OPTION_VALUE', /outputs: expected an object/],
    [{}, 'E_OPTION_VALUE', /outputs\.kind: expected classes or boxes or ctc or threshold, found 'nothing'/],
    [{ kind: 'class' }, 'E_OPTION_VALUE', /outputs\.kind: .*"class"/],
    [{ kind: 'constructor' }, 'E_OPTION_VALUE', /outputs\.kind/],
    [{ kind: 'classes', topp: 3 }, 'E_OPTION_UNKNOWN', /outputs\.topp/],
    [{ kind: 'classes', top: 0 }, 'E_OPTION_VALUE', /outputs\.top: expected at least 1, found '0'/],
    [{ kind: 'classes', labels: [] }, 'E_OPTION_VALUE', /outputs\.labels: .*at least 1/],
    [{ kind: 'classes', labels: ['a', 1] }, 'E_OPTION_VALUE', /outputs\.labels\[1\]: expected string/],
    [{ kind: 'classes', activation: 'relu' }, 'E_OPTION_VALUE', /outputs\.activation: .*softmax/],
    [{ kind: 'boxes' }, 'E_OPTION_VALUE', /outputs\.layout: expected yolov8 or corners or ssd, found 'nothing'/],
    [{ kind: 'boxes', layout: 'yolov8', boxes: 'b' }, 'E_OPTION_UNKNOWN', /outputs\.boxes/],
    [{ kind: 'boxes', layout: 'yolov8', iouThreshold: 1.5 }, 'E_OPTION_VALUE', /outputs\.iouThreshold: .*at most 1/],
    [{ kind: 'boxes', layout: 'corners', boxes: 'b' }, 'E_OPTION_VALUE', /outputs\.scores: .*found 'nothing'/],
    [{ ...SSD, anchors: [] }, 'E_OPTION_VALUE', /outputs\.anchors/],
    [{ ...SSD, anchors: [{ stride: 8, sizes: [[1, 2, 3]] }] }, 'E_OPTION_VALUE', /outputs\.anchors\[0\]\.sizes\[0\]/],
    [
      { ...SSD, anchors: [{ stride: 8, sizes: [0] }] },
      'E_OPTION_VALUE',
      /outputs\.anchors\[0\]\.sizes\[0\]: .*above 0/,
    ],
    [{ ...SSD, anchors: [{ step: 8, sizes: [1] }] }, 'E_OPTION_UNKNOWN', /outputs\.anchors\[0\]\.step/],
    [{ ...SSD, variances: [0.1] }, 'E_OPTION_VALUE', /outputs\.variances/],
    [{ ...SSD, background: -1 }, 'E_OPTION_VALUE', /outputs\.background/],
    [{ kind: 'ctc' }, 'E_OPTION_VALUE', /outputs\.alphabet: .*found 'nothing'/],
    [{ kind: 'ctc', alphabet: '' }, 'E_OPTION_VALUE', /outputs\.alphabet/],
    [{ kind: 'ctc', alphabet: 'ab', axes: 'CTN' }, 'E_OPTION_VALUE', /outputs\.axes: .*NCT/],
    [{ kind: 'threshold', on: 0.4, off: 0.6 }, 'E_OPTION_VALUE', /outputs\.off: expected at most on, found '0\.6'/],
    [{ kind: 'threshold', off: 0.6 }, 'E_OPTION_VALUE', /outputs\.off: expected at most on/],
    [{ kind: 'threshold', minOn: 0 }, 'E_OPTION_VALUE', /outputs\.minOn/],
  ])('%j', (given, code, message) => {
    expect(() => parseOutputSpec(given)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

test('a spec that names no output reads the first', () => {
  expect([...outputsOf(parseOutputSpec({ kind: 'classes' }), ['y', 'z'])]).toEqual([['output', 'y']]);
  expect([...outputsOf(parseOutputSpec({ kind: 'classes', output: 'z' }), ['y', 'z'])]).toEqual([['output', 'z']]);
  expect([...outputsOf(parseOutputSpec(SSD), ['y', 'z']).values()]).toEqual(['b', 's']);
});
