import { decodedLines } from '../../lib/cli/decoded-lines';
import type { Decoded } from '../../lib/core/outputs/decode-outputs';

const PICTURE = { width: 640, height: 480 };
const BOX = { left: 1, top: 2.25, right: 30.04, bottom: 400 };

test.each<[what: string, decoded: Decoded, lines: readonly string[]]>([
  [
    'classes by name or number',
    {
      kind: 'classes',
      classes: [
        { class: 7, label: 'tabby cat', score: 0.91239 },
        { class: 10, score: 0.05 },
        { class: 1, score: Number.NaN },
      ],
    },
    ['tabby cat  0.9124', 'class 10   0.05', 'class 1    NaN'],
  ],
  [
    'boxes',
    { kind: 'boxes', picture: PICTURE, boxes: [{ class: 0, label: 'dog', score: 0.9, ...BOX }] },
    ['     score  left  top  right  bottom', 'dog    0.9   1.0  2.3   30.0   400.0', 'in 640 x 480 pixels'],
  ],
  ['no box', { kind: 'boxes', picture: PICTURE, boxes: [] }, ['nothing found in 640 x 480 pixels']],
  ['text', { kind: 'ctc', text: 'a "b"', score: 0.98765 }, ['"a \\"b\\"" (0.9877)']],
  ['no text', { kind: 'ctc', text: '', score: null }, ['no text']],
  ['on', { kind: 'threshold', on: true, score: 0.75, against: 0, samples: 1 }, ['on for 1 sample (score 0.75)']],
  ['off', { kind: 'threshold', on: false, score: 0.1, against: 2, samples: 3 }, ['off for 3 samples (score 0.1)']],
])('%s', (_, decoded, lines) => expect(decodedLines(decoded)).toEqual(lines));
