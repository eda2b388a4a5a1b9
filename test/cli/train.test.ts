import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Console } from '../../lib/cli/console';
import { trainVerb } from '../../lib/cli/verbs-train';
import type { TrainReport } from '../../lib/jobs/train';
import { writeModel } from '../../lib/onnx/write-model';
import { npzOf, TEST_LABELS, TEST_SAMPLES, toyGraph } from '../jobs/toy';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-train-verb-'));
  writeFileSync(join(folder, 'toy.onnx'), writeModel(toyGraph()));
  writeFileSync(join(folder, 'train.npz'), npzOf(TEST_SAMPLES, TEST_LABELS));
  writeFileSync(
    join(folder, 'wrong.npz'),
    npzOf(
      TEST_SAMPLES,
      TEST_LABELS.map((label) => label + 1),
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the verb with defaults and these options; returns what it printed. */
async function run(options: Readonly<Record<string, string>>): Promise<{ lines: string[]; report: TrainReport }> {
  const lines: string[] = [];
  let report: unknown;
  const console: Console = {
    json: false,
    signal: new AbortController().signal,
    say: (line = '') => void lines.push(line),
    result: (value) => {
      report = value;
    },
    resultLine: () => {},
    jsonLine: async () => {},
    note: () => {},
    progress: () => {},
  };
  const defaults = trainVerb.options.map(({ flags, default: value }) => {
    const name = flags.split(' ')[0].slice(2);
    return [name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), value as string] as const;
  });
  const given = {
    ...Object.fromEntries(defaults),
    data: join(folder, 'train.npz'),
    epochs: '2',
    batch: '8',
    ...options,
  };
  await trainVerb.run([join(folder, 'toy.onnx')], given, console);
  return { lines, report: report as TrainReport };
}

test.each(['constant', 'linear', 'cosine', 'step', 'one-cycle'])('trains with the %s schedule', async (schedule) => {
  const { lines, report } = await run({ schedule, optimizer: 'adamw', learningRate: '0.001', labelSmoothing: '0.1' });
  expect(report.epochs).toHaveLength(3);
  expect(report.samples).toEqual({ training: 54, validation: 6 });
  expect(lines[0]).toMatch(/^epoch 0\/2: as it came, \d+\.\d\d % right$/);
  expect(lines.at(-1)).toMatch(/^wrote .*toy\.trained\.onnx: epoch \d, /);
});

test.each([
  [{ schedule: 'cosinus' }, 'E_OPTION_VALUE', /--schedule: expected constant, linear, cosine, step or one-cycle/],
  [{ optimizer: 'rmsprop' }, 'E_OPTION_VALUE', /--optimizer/],
  [{ learningRate: '0' }, 'E_OPTION_VALUE', /--learning-rate: expected a number above 0/],
  [{ learningRate: '1e20' }, 'E_OPTION_VALUE', /--learning-rate/],
  [{ weightDecay: '' }, 'E_OPTION_VALUE', /--weight-decay/],
  [{ checkpointEvery: '0' }, 'E_OPTION_VALUE', /--checkpoint-every/],
  [{ augment: 'rotate' }, 'E_OPTION_VALUE', /--augment.*found 'rotate'/],
  [{ augment: 'flip' }, 'E_DATA_MISMATCH', /pictures/],
  [{ batch: '100' }, 'E_DATA_MISMATCH', /at least 100 samples/],
  [{ data: 'wrong.npz' }, 'E_DATA_MISMATCH', /labels from 0 to 2, .*found labels from 1 to 3/],
] as const)('%j is refused: %s', async (options: Readonly<Record<string, string>>, code, message) => {
  const data = options.data && { data: join(folder, options.data) };
  const error = run({ ...options, ...data });
  await expect(error).rejects.toMatchObject({ code });
  await expect(error).rejects.toThrow(message);
});

test('a learning rate that is far too high says so', async () => {
  await expect(run({ learningRate: '1000', weightDecay: '10', epochs: '40' })).rejects.toMatchObject({
    code: 'E_TRAINING',
  });
});
