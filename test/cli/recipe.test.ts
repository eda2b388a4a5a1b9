import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecipeReport } from '../../lib/jobs/recipe/recipe-report';
import { recipeFolder } from '../jobs/recipe-folder';
import { hone, type Outcome, start } from './hone';

let folder: string;
const run = (command: string): Promise<Outcome> => hone(command.split(' '), { cwd: folder });

/** Writes a recipe file. */
function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

beforeAll(() => {
  folder = recipeFolder();
  put(
    'recipe.yaml',
    [
      'model: toy.onnx',
      'seed: 2',
      'data:',
      '  training: labelled.npz',
      'steps:',
      '  - prune:',
      '      sparsity: 0.3',
      '  - finetune: {epochs: 1, batchSize: 16, select: last}',
    ].join('\n'),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a recipe run prints one row per step; explain says why', async () => {
  const { code, stdout } = await run('compress --recipe recipe.yaml');
  expect(stdout).toMatch(
    /^samples: 288 training, 80 validation, 32 calibration, 0 test \(disjoint\)\nsteps: prune, finetune\n/,
  );
  expect(stdout).toMatch(
    /\nafter +accuracy +drop +size +MAC +p50 +least\nfloat +100\.00 % \(95\.4 to 100\.0\) .*\nprune .* ± .*\nfinetune .*\n\(80 validation samples; .*\)\n\(timed in turns; load \d+\.\d on \d+ processors.*\)\n\(judged .*\)\nthe engine runs [\s\S]*\nnot at all .*\nruns wholly .*\nwrote toy\.hone\.onnx: /,
  );
  expect(code).toBe(0);
  const explained = await run('explain toy.hone.onnx');
  expect(explained.stdout).toMatch(/^toy\.hone\.onnx, made from .*\n(.+\n {2}prune: .+: .+\n {2}finetune: .+\n){2}$/);
  expect((await run('explain toy.hone.onnx --layer none')).stderr).toMatch(
    /^error option --layer: expected .*hidden.*'none'/,
  );
});

test('the command line changes data, seed and places; JSON is the report', async () => {
  const report = (
    await run('compress toy.onnx --recipe recipe.yaml --data unlabelled.npz --seed 7 --out n.onnx --cache kept --json')
  ).json<RecipeReport>();
  expect(report).toMatchObject({ metric: 'agreement', recipe: { seed: 7 }, result: { path: 'n.onnx', steps: 2 } });
  expect(readdirSync(join(folder, 'kept'))).toHaveLength(4);
  expect(JSON.parse(readFileSync(join(folder, 'n.onnx.report.json'), 'utf8'))).toEqual(report);
});

test('a mistake is named with file and place', async () => {
  put('bad.yaml', 'steps: [{finetune: {}}, {prune: {sparsity: 1}}]');
  const { code, stderr } = await run('compress toy.onnx --recipe bad.yaml --out bad.onnx');
  expect(stderr).toMatch(/^error option bad\.yaml: steps\[1\]\.prune\.sparsity: expected .*\[E_OPTION_VALUE\]\n/);
  expect(code).toBe(1);
  expect(existsSync(join(folder, 'bad.onnx'))).toBe(false);
});

test('what only makes sense without a recipe, or for a float model, is refused', async () => {
  const { code, stderr } = await run('compress toy.onnx --recipe recipe.yaml --estimator mse --out never.onnx');
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/--estimator has no effect.*E_USAGE/) });
  expect((await run('compress toy.onnx --data calib.npz --out int8.onnx')).code).toBe(0);
  expect((await run('compress int8.onnx --recipe recipe.yaml --out never.onnx')).stderr).toMatch(
    /^error option <model>: expected a float model .*E_OPTION_VALUE/,
  );
  expect(existsSync(join(folder, 'never.onnx'))).toBe(false);
});

test('a recipe without a model needs one from the command', async () => {
  put('bad.yaml', 'data: {training: labelled.npz}');
  expect(await run('compress --recipe bad.yaml')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/E_USAGE/),
  });
  expect(await run('compress --data labelled.npz')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/E_USAGE/),
  });
});

test('a goal that cannot be reached: the best model is there, message and exit code say so', async () => {
  put(
    'goal.json',
    JSON.stringify({ data: { training: 'labelled.npz' }, goals: { maxBytes: 10 }, steps: [{ prune: {} }] }),
  );
  const { code, stdout, stderr } = await run('compress toy.onnx --recipe goal.json --out goal.onnx');
  expect(stderr).toMatch(/^goal missed, the best model was kept: the model takes \d+ bytes, maxBytes allows 10\n$/);
  expect(stdout).toMatch(/wrote goal\.onnx/);
  expect(code).toBe(3);
  expect(existsSync(join(folder, 'goal.onnx'))).toBe(true);
});

describe('a run that is ended from outside', () => {
  const LONG = 'compress toy.onnx --recipe long.yaml --out';

  beforeAll(() => {
    put(
      'long.yaml',
      'data: {training: labelled.npz}\nsteps:\n  - prune:\n  - finetune: {epochs: 60, batchSize: 4, select: last}\n',
    );
  });

  /** Waits until the cache of a run holds a file with such a name. */
  async function untilCached(target: string, pattern: RegExp, child: { exitCode: number | null }): Promise<void> {
    const cache = join(folder, `${target}.hone-cache`);
    while (!(existsSync(cache) && readdirSync(cache).some((name) => pattern.test(name)))) {
      if (child.exitCode !== null) throw new Error('it ended too soon');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  test('Ctrl-C writes the best so far; the same command goes on to the same bytes as one that was killed twice', async () => {
    const first = start(`${LONG} stopped.onnx`.split(' '), { cwd: folder });
    await untilCached('stopped.onnx', /checkpoint$/, first.child);
    first.child.kill('SIGINT');
    const stopped = await first.ended;
    expect(stopped.stderr).toMatch(/interrupted after 1 steps: the best so far is written/);
    expect(stopped).toMatchObject({ code: 130, stdout: expect.stringMatching(/wrote stopped\.onnx/) });
    const early = readFileSync(join(folder, 'stopped.onnx'));
    expect((await run(`${LONG} stopped.onnx`)).code).toBe(0);
    const whole = readFileSync(join(folder, 'stopped.onnx'));
    expect(whole).not.toEqual(early);

    for (const pattern of [/json$/, /checkpoint$/]) {
      const { child, ended } = start(`${LONG} killed.onnx`.split(' '), { cwd: folder });
      await untilCached('killed.onnx', pattern, child);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      expect(existsSync(join(folder, 'killed.onnx'))).toBe(false);
    }
    expect((await run(`${LONG} killed.onnx`)).stdout).toMatch(/prune: .*\(from the cache\)/);
    expect(readFileSync(join(folder, 'killed.onnx'))).toEqual(whole);
    expect((await run(`${LONG} whole.onnx`)).code).toBe(0);
    expect(readFileSync(join(folder, 'whole.onnx'))).toEqual(whole);
  }, 60000);
});
