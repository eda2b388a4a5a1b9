import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ISAS } from '../../lib/compress/target';
import { describeCpu } from '../../lib/engine/session';
import { openArtifact } from '../../lib/jobs/artifact';
import { hostIsa, measureLayerTimes, readLayerTimes, writeLayerTimes } from '../../lib/jobs/layer-times';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import { openTarget } from '../../lib/jobs/recipe/recipe-target';
import { prepare } from '../../lib/passes/pipeline';
import { recipeFolder, runToy } from './recipe-folder';

let folder: string;
beforeAll(() => {
  folder = recipeFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function open(target: object) {
  const model = await openArtifact(join(folder, 'toy.onnx'));
  if (model.kind !== 'model') throw new Error('expected a model');
  const { graph } = prepare(model.graph, { batchNorm: 'keep' });
  return openTarget(parseRecipe({ target }).target, graph, { folder, place: 'r.yaml: ' });
}

/** Layer times of the toy network, written to `name` and changed before. */
async function timesFile(name: string, change: object = {}): Promise<void> {
  const times = await measureLayerTimes(await openArtifact(join(folder, 'toy.onnx')));
  await writeLayerTimes(join(folder, name), { ...times, ...change });
}

test('the instruction set of this machine is the strongest that the engine may use', async () => {
  expect(describeCpu(process.env.HONE_CPU)).toMatch(new RegExp(`(^|,)${hostIsa()}$`));
  expect(Object.keys(ISAS)).toContain(hostIsa());
  expect(await open({})).toEqual({
    target: { isa: hostIsa() },
    record: { isa: hostIsa(), from: 'this machine' },
  });
});

test('a recipe may name any instruction set', async () => {
  for (const isa of Object.keys(ISAS))
    expect(await open({ isa })).toEqual({ target: { isa }, record: { isa, from: 'recipe' } });
  expect(() => parseRecipe({ target: { isa: 'sse2' } })).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
  expect(() => parseRecipe({ target: { channelMultiple: 8 } })).toThrow(
    expect.objectContaining({ code: 'E_OPTION_UNKNOWN' }),
  );
});

test('measured times name the layers of the model and say where they come from', async () => {
  await timesFile('times.json');
  const { times, sha256 } = await readLayerTimes(join(folder, 'times.json'), 'times');
  const { target, record } = await open({ times: 'times.json' });
  expect(target).toEqual({ isa: hostIsa(), times: times.layers });
  expect(record).toEqual({ isa: hostIsa(), from: 'times', times: { path: 'times.json', sha256 } });
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Object.values(times.layers).every((ns) => ns > 0)).toBe(true);
});

test('the report of a recipe says what it was made for', async () => {
  await timesFile('times.json', { isa: 'neon_dotprod' });
  const steps = [{ 'prune-structured': { macs: 0.8, samples: 64 } }];
  const recipe = { data: { training: 'labelled.npz' }, target: { times: 'times.json' }, steps };
  const { target, steps: done } = await runToy(folder, recipe, 'a.onnx');
  expect(target).toMatchObject({ isa: 'neon_dotprod', from: 'times', times: { path: 'times.json' } });
  expect(done[0].report).toMatchObject({ modelledTime: { isa: 'neon_dotprod', measured: true } });
});

test.each<[string, object | string, object, RegExp]>([
  ['are not there', '', { times: 'none.json' }, /none\.json: ENOENT/],
  ['are no times', '{"format": "other"}', { times: 't.json' }, /other content/],
  ['are no JSON', 'times', { times: 't.json' }, /t\.json: /],
  ['are of another model', { layers: { elsewhere: 1 } }, { times: 't.json' }, /elsewhere in t\.json/],
  ['are of another CPU', { isa: 'neon' }, { times: 't.json', isa: 'neon_i8mm' }, /neon in t\.json/],
])('times that %s are refused', async (_, content, target, found) => {
  if (typeof content === 'string') writeFileSync(join(folder, 't.json'), content);
  else await timesFile('t.json', content);
  await expect(open(target)).rejects.toMatchObject({
    code: 'E_OPTION_VALUE',
    details: { option: 'r.yaml: target.times', found: expect.stringMatching(found) },
  });
});
