import type { DecodedThreshold } from '../../../lib/core/outputs/threshold';
import { decoded, expectRefusal } from './decode';

/** The states over a course of scores, one letter a sample: `#` on, `.` off. */
function course(spec: object, scores: readonly number[]): string {
  let before: DecodedThreshold | undefined;
  return scores
    .map((score) => {
      before = decoded({ kind: 'threshold', ...spec }, [['y', [1, 1], [score]]], { before });
      return before.on ? '#' : '.';
    })
    .join('');
}

const HYSTERESIS = { on: 0.6, off: 0.3 };

test.each<[what: string, spec: object, scores: number[], on: string]>([
  ['one threshold, reached exactly', {}, [0, 0.5, 0.49, 0.5], '.#.#'],
  ['hysteresis: between the two it stays', HYSTERESIS, [0.5, 0.6, 0.5, 0.3, 0.29, 0.5], '.###..'],
  ['several in a row turn it on', { ...HYSTERESIS, minOn: 2 }, [0.7, 0.5, 0.7, 0.7, 0.4], '...##'],
  ['several in a row turn it off', { ...HYSTERESIS, minOff: 3 }, [0.9, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.1], '######..'],
  ['what spoke for on counts not for off', { minOn: 2, minOff: 2 }, [1, 1, 0, 1, 0, 0], '.####.'],
  ['NaN speaks for nothing', { minOn: 2 }, [1, NaN, 1, 1, NaN, 0], '...##.'],
  ['thresholds at the ends', { on: 1, off: 0 }, [0.99, 1, 0], '.##'],
])('%s', (_, spec, scores, on) => expect(course(spec, scores)).toBe(on));

test('says how long it has been so, and takes logits', () => {
  const spec = { kind: 'threshold', activation: 'sigmoid', index: 1 } as const;
  const step = (logit: number, before?: DecodedThreshold) => decoded(spec, [['y', [1, 2], [9, logit]]], { before });
  const first = step(-9);
  expect(first).toMatchObject({ on: false, samples: 1 });
  const second = step(0, first);
  expect(second).toEqual({ kind: 'threshold', on: true, score: 0.5, against: 0, samples: 1 });
  expect(step(1, second)).toMatchObject({ on: true, samples: 2 });
});

test('softmax takes the share of one number among all', () => {
  const spec = { kind: 'threshold', activation: 'softmax', index: 1, on: 0.7 } as const;
  expect(decoded(spec, [['y', [1, 2], [0, Math.log(3)]]])).toMatchObject({ on: true, score: expect.closeTo(0.75) });
});

test('refuses an index that the output does not have', () => {
  expectRefusal(
    () => decoded({ kind: 'threshold', index: 1 }, [['y', [1, 1], [0]]]),
    /outputs\.index: .*y of \[1, 1\]/,
  );
});
