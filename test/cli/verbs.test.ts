import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_SAMPLES, toyFolder, toyLogits } from '../jobs/toy';
import { hone, type Outcome } from './hone';

let folder: string;
const run = (command: string): Promise<Outcome> => hone(command.split(' '), { cwd: folder });

/** Runs a verb for people and checks that it ends well and says nothing on standard error. */
async function text(command: string): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  expect([stderr, code]).toEqual(['', 0]);
  return stdout;
}

async function json<T = Record<string, unknown>>(command: string): Promise<T> {
  const outcome = await run(`${command} --json`);
  expect([outcome.stderr, outcome.code]).toEqual(['', 0]);
  return outcome.json<T>();
}

beforeAll(async () => {
  folder = toyFolder();
  await text('compress toy.onnx --data calib.npz');
  await text('compile toy.int8.onnx');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The three forms of a model that every verb takes. */
const FORMS = ['toy.onnx', 'toy.int8.onnx', 'toy.int8.plan'] as const;

describe.each(FORMS)('%s', (file) => {
  test('inspect', async () => {
    const found = await json(`inspect ${file}`);
    expect(found).toMatchObject({
      kind: file.endsWith('.plan') ? 'plan' : 'model',
      sizeBytes: readFileSync(join(folder, file)).length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      inputs: [{ name: 'x', type: 'float32', shape: [expect.anything(), 8] }],
      outputs: [{ name: 'logits', type: 'float32', shape: [expect.anything(), 3] }],
      preprocess: null,
      sound: null,
      meaning: null,
    });
    if (found.kind === 'model') expect(found).toMatchObject({ missing: [], macs: 8 * 16 + 16 * 3 });
    else expect(found).toMatchObject({ float: 'toy.onnx', variants: 1 });
    expect(await text(`inspect ${file}`)).toMatch(/^file .*\nkind .*\n[\s\S]*\ninput +x: float32 \[\w+, 8\]\n/);
  });

  test('run gives the outputs of the sample', async () => {
    type Outputs = { logits: { type: string; shape: number[]; data: number[] } };
    const { logits } = await json<Outputs>(`run ${file} --input test.npz --sample 7`);
    expect([logits.type, logits.shape]).toEqual(['float32', [1, 3]]);
    const expected = toyLogits(TEST_SAMPLES[7]);
    const range = Math.max(...expected.map(Math.abs));
    const tolerance = file === 'toy.onnx' ? 1e-5 : 0.1;
    for (const [index, value] of logits.data.entries())
      expect(Math.abs(value - expected[index])).toBeLessThan(tolerance * range);
    expect(await text(`run ${file} --input test.npz --sample 7`)).toMatch(
      /^logits: float32 \[1, 3\], largest is number \d\n {2}-?\d/,
    );
    expect(await json(`run ${file} --seed 3`)).toEqual(await json(`run ${file} --seed 3`));
  });

  test('eval prints accuracy, agreement, SQNR and the count', async () => {
    const found = await json(`eval ${file} --data test.npz`);
    expect(Object.keys(found)).toEqual([
      'samples',
      'executor',
      'saturatingHost',
      'float',
      'task',
      'accuracy',
      'accuracyInterval95',
      'floatAccuracy',
      'drop',
      'dropStandardError',
      'agreement',
      'agreementInterval95',
      'relativeError',
      'relativeErrorInterval95',
      'sqnrDb',
      'reasons',
    ]);
    expect(found).toMatchObject({ samples: 60, executor: 'native', floatAccuracy: 0.9 });
    expect(found.agreement).toBeGreaterThan(0.9);
    expect(found.accuracy).toBeGreaterThan(0.8);
    expect(await text(`eval ${file} --data test.npz`)).toMatch(
      /^samples {9}60 \(native\)\naccuracy {8}\d+\.\d\d % \(95 %: .*\)\nfloat accuracy {2}90\.00 %\ndrop [\s\S]*agreement [\s\S]*SQNR /,
    );
  });

  test('bench', async () => {
    const found = await json(`bench ${file} --pairs 5`);
    expect(found).toMatchObject({ pairs: 5, threads: 1, native: { p50Us: expect.any(Number) } });
    expect(found.ratio === null).toBe(file.endsWith('.plan'));
    const said = await text(`bench ${file} --pairs 5`);
    expect(said).toMatch(/^ +p50 +p90 +p99\nnative /);
    expect(said).toMatch(
      file.endsWith('.plan') ? / on [a-z0-9, _]+\)\n$/ : / of onnxruntime on [a-z0-9, _]+ \(median of 5 /,
    );
  });
});

test('compile takes a float model with and without calibration samples, and says where the float model is', async () => {
  await text('compile toy.onnx --out float.plan');
  await text('compile toy.onnx --calibration calib.npz --out int8.plan');
  const kernels = async (plan: string) => Object.keys((await json<{ operators: object }>(`inspect ${plan}`)).operators);
  expect(await kernels('float.plan')).toContain('fc_f32');
  expect(await kernels('int8.plan')).toContain('fc_s8');
  for (const plan of ['float.plan', 'int8.plan'])
    expect(await json(`eval ${plan} --data test.npz`)).toMatchObject({
      float: join(folder, 'toy.onnx'),
      floatAccuracy: 0.9,
    });
  expect(await text('inspect int8.plan --nodes')).toMatch(/\n\nplan of model [\s\S]*fc_s8 /);
});

test('run says what the outputs mean, once compress or compile were told', async () => {
  writeFileSync(join(folder, 'outputs.json'), '{"kind":"classes","activation":"softmax","labels":["a","b","c"]}');
  await text('compress toy.onnx --data calib.npz --outputs outputs.json --out told.onnx');
  await text('compile told.onnx --out told.plan');
  await text('compile toy.onnx --outputs outputs.json --out float.plan');
  const logits = toyLogits(TEST_SAMPLES[7]);
  const best = 'abc'[logits.indexOf(Math.max(...logits))];
  for (const file of ['told.onnx', 'told.plan', 'float.plan']) {
    expect(await json(`inspect ${file}`)).toMatchObject({ meaning: { kind: 'classes', labels: ['a', 'b', 'c'] } });
    expect(await text(`inspect ${file}`)).toMatch(/\noutput +logits: .*\n +means classes, 3 labels\n/);
    const said = await text(`run ${file} --input test.npz --sample 7`);
    expect(said).toMatch(new RegExp(`^${best} +[0-9.e-]+\\n[abc] +[0-9.e-]+\\n[abc] +[0-9.e-]+\\n$`));
    type Outputs = { logits: { data: number[]; decoded: { classes: { label: string; score: number }[] } } };
    const { data, decoded } = (await json<Outputs>(`run ${file} --input test.npz --sample 7`)).logits;
    expect([data.length, decoded.classes[0].label]).toEqual([3, best]);
    expect(decoded.classes.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
    const other = '{"kind":"threshold","on":1,"off":0}';
    expect(await text(`run ${file} --input test.npz --sample 7 --outputs ${other}`)).toMatch(
      /^(on|off) for \d samples? \(score -?\d.*\)\n$/,
    );
  }
});

test('compress tells layer by layer what it cost', async () => {
  const found = await json<{ path: string; report: { layers: object[] } }>(
    'compress toy.onnx --data calib.npz --out again.onnx',
  );
  expect(found).toMatchObject({
    path: 'again.onnx',
    report: { samples: { calibration: 80, measured: 16, judged: 80, heldOut: true }, judgedBy: { executor: 'native' } },
  });
  expect(found.report.layers).toHaveLength(2);
  expect(readFileSync(join(folder, 'again.onnx'))).toEqual(readFileSync(join(folder, 'toy.int8.onnx')));
  const options = '--estimator minmax --per-tensor --equalize --correct-bias --samples 40 --skip-name logits';
  expect(await text(`compress toy.onnx --data calib.npz --out options.onnx ${options}`)).toMatch(/stays float: logits/);
});

test('doctor names every part and ends with 0 when nothing needed is missing', async () => {
  const found = await json<{ complete: boolean; findings: { what: string; state: string }[]; sensors: object[] }>(
    'doctor',
  );
  expect(found.complete).toBe(true);
  expect(found.findings.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['Node.js', 'native engine', 'fast kernels', 'roles of an agent', 'C++ compiler']),
  );
  expect(found.sensors.length).toBeGreaterThanOrEqual(6);
  expect(await text('doctor')).toMatch(/^Node\.js +ok +v\d+[\s\S]*\nnothing that Hone needs is missing\n$/);
});

test('help and version', async () => {
  expect(await text('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  for (const verb of 'inspect compress compile run eval bench serve deploy watch status load unload doctor build-addon'.split(
    ' ',
  )) {
    expect(await text('--help')).toMatch(new RegExp(`\\n {2}${verb} `));
    expect(await text(`${verb} --help`)).toMatch(/^Usage: hone [\s\S]*--json[\s\S]*\nExamples:\n {2}hone /);
  }
  expect((await hone([])).stdout).toMatch(/^Usage: hone /);
});

test('a failure inside a callback is an error like any other', async () => {
  const broken = join(folder, 'broken.js');
  writeFileSync(broken, "setTimeout(() => { Promise.reject(new Error('from afar')); }, 20);");
  const { code, stderr } = await hone(['bench', 'toy.int8.plan', '--pairs', '10000000'], {
    cwd: folder,
    env: { NODE_OPTIONS: `--require ${broken}` },
  });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^error from afar \[E_INTERNAL\]\n.*report it/)]);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(broken)).toBe(true);
});
