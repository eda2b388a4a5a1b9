import fc from 'fast-check';
import {
  type Box,
  type Candidate,
  intersectionOverUnion,
  suppress,
} from '../../../lib/core/outputs/non-maximum-suppression';

const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom });
const at = (place: Box, score: number, index = 0): Candidate => ({ ...place, score, class: index });

test.each<[what: string, a: Box, b: Box, overlap: number]>([
  ['the same', box(0, 0, 2, 2), box(0, 0, 2, 2), 1],
  ['half of each', box(0, 0, 2, 2), box(1, 0, 3, 2), 1 / 3],
  ['one inside the other', box(0, 0, 4, 4), box(1, 1, 3, 3), 1 / 4],
  ['an edge in common', box(0, 0, 2, 2), box(2, 0, 4, 2), 0],
  ['apart along both axes', box(0, 0, 1, 1), box(5, 5, 6, 6), 0],
  ['no area', box(1, 1, 1, 1), box(1, 1, 1, 1), 0],
])('overlap of %s', (_, a, b, overlap) => {
  expect(intersectionOverUnion(a, b)).toBeCloseTo(overlap, 12);
  expect(intersectionOverUnion(b, a)).toBeCloseTo(overlap, 12);
});

const [LEFT, MIDDLE, RIGHT] = [box(0, 0, 2, 2), box(1, 0, 3, 2), box(2, 0, 4, 2)];
const OPTIONS = { iouThreshold: 0.3, perClass: true, most: 100 };

test.each<[what: string, options: object, candidates: Candidate[], kept: number[]]>([
  ['nothing of nothing', {}, [], []],
  ['the better of two', {}, [at(LEFT, 0.5), at(MIDDLE, 0.9)], [1]],
  ['what is dropped drops none', {}, [at(LEFT, 0.9), at(MIDDLE, 0.8), at(RIGHT, 0.7)], [0, 2]],
  ['an overlap of just the threshold stays', { iouThreshold: 1 / 3 }, [at(LEFT, 0.9), at(MIDDLE, 0.8)], [0, 1]],
  ['the first of equals', {}, [at(MIDDLE, 0.5), at(LEFT, 0.5)], [0]],
  ['other classes stay', {}, [at(LEFT, 0.9), at(LEFT, 0.8, 1), at(LEFT, 0.7, 1)], [0, 1]],
  ['other classes too', { perClass: false }, [at(LEFT, 0.9), at(LEFT, 0.8, 1)], [0]],
  ['the best alone', { most: 1 }, [at(LEFT, 0.7), at(RIGHT, 0.9)], [1]],
])('%s', (_, options, candidates, kept) => {
  expect(suppress(candidates, { ...OPTIONS, ...options })).toEqual(kept.map((index) => candidates[index]));
});

test('property: kept boxes overlap little, and every other overlaps a better one that is kept', () => {
  const edge = fc.integer({ min: 0, max: 12 });
  const candidate = fc
    .tuple(edge, edge, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.nat(5), fc.nat(1))
    .map(([left, top, width, height, score, index]) =>
      at(box(left, top, left + width, top + height), score / 5, index),
    );
  const settings = fc.record({ iouThreshold: fc.double({ min: 0, max: 1, noNaN: true }), perClass: fc.boolean() });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 20 }), settings, (candidates, { iouThreshold, perClass }) => {
      const kept = suppress(candidates, { iouThreshold, perClass, most: candidates.length });
      const rivals = (a: Candidate, b: Candidate) =>
        (!perClass || a.class === b.class) && intersectionOverUnion(a, b) > iouThreshold;
      kept.forEach((a, place) => {
        for (const b of kept.slice(place + 1)) {
          expect(rivals(a, b)).toBe(false);
          expect(a.score).toBeGreaterThanOrEqual(b.score);
        }
      });
      for (const dropped of candidates.filter((each) => !kept.includes(each)))
        expect(kept.some((better) => better.score >= dropped.score && rivals(better, dropped))).toBe(true);
    }),
  );
});
