import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecipe } from '../../lib/jobs/recipe/recipe-file';
import { ROOT } from '../tidy/sources';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-recipe-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(text: string): ReturnType<typeof readRecipe> {
  const path = join(folder, 'r.yaml');
  writeFileSync(path, text);
  return readRecipe(path);
}

test('YAML and JSON give the same recipe', async () => {
  const yaml = await read('model: m.onnx\nseed: 3\nsteps:\n  - prune: {sparsity: 0.7}\n  - finetune:\n');
  const json = await read(
    '{"model": "m.onnx",\n\t"seed": 3, "steps": [{"prune": {"sparsity": 0.7}}, {"finetune": {}}]}',
  );
  expect(yaml).toEqual(json);
  expect(yaml).toMatchObject({ folder, place: `${join(folder, 'r.yaml')}: `, recipe: { model: 'm.onnx', seed: 3 } });
  expect(yaml.recipe.steps).toMatchObject([{ prune: { sparsity: 0.7 } }, { finetune: { epochs: expect.any(Number) } }]);
});

test('an empty file leaves everything open', async () => {
  const { recipe } = await read('# nothing yet\n');
  expect(recipe).toMatchObject({ seed: 0, goals: { tries: 8 } });
  expect(recipe.steps).toBeUndefined();
});

test.each<[text: string, code: string, place: string, nearest: string | undefined]>([
  ['step: []', 'E_OPTION_UNKNOWN', 'step', 'steps'],
  ['steps: []', 'E_OPTION_VALUE', 'steps', undefined],
  ['steps: [{prun: {}}]', 'E_OPTION_UNKNOWN', 'steps[0].prun', 'steps[0].prune'],
  ['steps: [{finetune: {}}, {prune: {sparsity: 1}}]', 'E_OPTION_VALUE', 'steps[1].prune.sparsity', undefined],
  ['steps: [{prune: {sparsty: 0.5}}]', 'E_OPTION_UNKNOWN', 'steps[0].prune.sparsty', 'steps[0].prune.sparsity'],
  ['steps: [{prune: {}, finetune: {}}]', 'E_OPTION_VALUE', 'steps[0]', undefined],
  ['steps: [prune]', 'E_OPTION_VALUE', 'steps[0]', undefined],
  ['steps: {prune: {}}', 'E_OPTION_VALUE', 'steps', undefined],
  ['data: {trainning: a.npz}', 'E_OPTION_UNKNOWN', 'data.trainning', 'data.training'],
  ['data: {preprocess: {sise: [1, 2]}}', 'E_OPTION_UNKNOWN', 'data.preprocess.sise', 'data.preprocess.size'],
  ['goals: {maxDrop: -1}', 'E_OPTION_VALUE', 'goals.maxDrop', undefined],
  ['steps: [{prune: {sparsity: .nan}}]', 'E_OPTION_VALUE', 'steps[0].prune.sparsity', undefined],
  ['- a\n- b', 'E_OPTION_VALUE', '', undefined],
])('%s is named with file and place', async (text, code, place, nearest) => {
  const inFile = (key: string) => [join(folder, 'r.yaml'), key].filter(Boolean).join(': ');
  await expect(read(text)).rejects.toMatchObject({
    code,
    details: { option: inFile(place), ...(nearest && { nearest: inFile(nearest) }) },
  });
});

test('a number that JSON has no form for is told as it was written', async () => {
  await expect(read('steps: [{finetune: {epochs: .inf}}]')).rejects.toMatchObject({ details: { found: '"Infinity"' } });
});

test('text that is neither YAML nor JSON, and no file', async () => {
  await expect(read('steps: []\n---\nsteps: []')).rejects.toMatchObject({
    code: 'E_RECIPE',
    details: { reason: 'it holds several documents; a recipe is one' },
  });
  await expect(read('data: [')).rejects.toMatchObject({
    code: 'E_RECIPE',
    details: { reason: expect.stringMatching(/line 1/) },
  });
  await expect(readRecipe(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
});

test.each([
  ['steps: &s [*s]', /'&s' names contains itself/],
  ['data: &d { augment: { deep: *d } }', /'&d' names contains itself/],
  ['seed: 1\nseed: 2', /key 'seed' stands there twice/],
  ['goals: { tries: 1, tries: 2 }', /key 'tries' stands there twice/],
])('%s is refused', async (text, reason) => {
  await expect(read(text)).rejects.toMatchObject({
    code: 'E_RECIPE',
    details: { reason: expect.stringMatching(reason) },
  });
});

test('50,000 unknown keys are refused within seconds', async () => {
  const text = Array.from({ length: 50_000 }, (_, index) => `key${index}: 1`).join('\n');
  await expect(read(text)).rejects.toMatchObject({ code: 'E_OPTION_UNKNOWN', details: { option: /key0/ } });
}, 10_000);

const EXAMPLES = join(ROOT, 'docs/recipes');

test.each(readdirSync(EXAMPLES))('docs/recipes/%s is a recipe', async (name) => {
  expect((await readRecipe(join(EXAMPLES, name))).recipe.model).toMatch(/\.onnx$/);
});
