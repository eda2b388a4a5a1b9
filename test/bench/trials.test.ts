import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findModels, MODELS } from '../../bench/models';
import { TRIALS } from '../../bench/trials';

test('trials have different names that make good file names', () => {
  const names = TRIALS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z][a-z-]*$/.test(name))).toEqual([]);
});

describe('without data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hone-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const models = findModels(folder);

  test('every model is skipped by name', () => {
    expect(models.present).toEqual([]);
    expect(models.skipped).toHaveLength(MODELS.length);
    for (const [index, { label }] of MODELS.entries()) expect(models.skipped[index]).toMatch(new RegExp(`^${label}: `));
  });

  test.each(['latency', 'accuracy', 'memory'])('%s has no results', async (name) => {
    const trial = TRIALS.find((candidate) => candidate.name === name)!;
    const outcome = await trial.run({
      pairs: 1,
      models,
      dataFolder: folder,
      say: () => {},
      wants: () => true,
      keep: async () => {},
    });
    expect(outcome.records).toEqual([]);
    expect(outcome.skipped).toEqual(models.skipped);
  });
});
