import fc from 'fast-check';
import { Rng } from '../../lib/core/rng';
import { tryModel } from './fuzz';
import { mutate } from './mutate';
import { seedModels } from './seeds';

const seeds = seedModels();
const seedModel = fc.constantFrom(...seeds);

test('the seeds are models', () => {
  expect(seeds.map(tryModel)).toEqual(seeds.map(() => true));
});

test('mutated models give a model or a clear error', () => {
  fc.assert(
    fc.property(seedModel, seedModel, fc.nat(), (bytes, other, seed) => {
      tryModel(mutate(bytes, other, new Rng(seed)));
    }),
    { numRuns: 2000 },
  );
});

test('random bytes give a clear error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      tryModel(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('every prefix of a model gives a model or a clear error', () => {
  for (const bytes of seeds) for (let length = 0; length < bytes.length; length++) tryModel(bytes.subarray(0, length));
});
