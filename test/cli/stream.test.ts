import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OptionValues } from '../../lib/cli/verb';
import { streamVerb } from '../../lib/cli/verbs-stream';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { writeModel } from '../../lib/onnx/write-model';
import { toyFolder } from '../jobs/toy';
import { distPath, hone, type Outcome, start } from './hone';
import { printed } from './printed';

let folder: string;
const FRAME = 8 * 6 * 3;
const FRAMES = 5;

/** y [1, 3]: the mean of every channel. */
function meanModel(): Uint8Array {
  const builder = new GraphBuilder();
  const x = builder.node('Cast', [builder.input('x', 'uint8', [1, 3, 6, 8])], { to: 1 });
  const shape = builder.initializer(tensorFrom('int64', [2], [1, 3]));
  const mean = builder.node('GlobalAveragePool', [x]);
  builder.output(builder.node('Reshape', [mean, shape], {}, { outputs: ['y'] }), 'float32', [1, 3]);
  return writeModel(builder.build());
}

/** y [1, 3, 48, 64]: the picture itself. */
function sameModel(): Uint8Array {
  const builder = new GraphBuilder();
  const dims = [1, 3, 48, 64];
  const y = builder.node('Cast', [builder.input('x', 'uint8', dims)], { to: 1 }, { outputs: ['y'] });
  builder.output(y, 'float32', dims);
  return writeModel(builder.build());
}

/** y [1, 1]: the sum of 16 samples. */
function sumModel(): Uint8Array {
  const builder = new GraphBuilder();
  const ones = builder.initializer(tensorFrom('float32', [16, 1], Array(16).fill(1)));
  const sum = builder.node('MatMul', [builder.input('x', 'float32', [1, 16]), ones], {}, { outputs: ['y'] });
  builder.output(sum, 'float32', [1, 1]);
  return writeModel(builder.build());
}

beforeAll(async () => {
  folder = toyFolder();
  writeFileSync(join(folder, 'mean.onnx'), meanModel());
  writeFileSync(join(folder, 'sum.onnx'), sumModel());
  writeFileSync(join(folder, 'same.onnx'), sameModel());
  writeFileSync(
    join(folder, 'video.rgb'),
    Buffer.concat(Array.from({ length: FRAMES }, (_, index) => Buffer.alloc(FRAME, 10 * index))),
  );
  const made = await hone(['compile', 'mean.onnx'], { cwd: folder });
  expect([made.stderr, made.code]).toEqual(['', 0]);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  readonly frame: number;
  readonly dropped: number;
  readonly outputs: { readonly y: { readonly type: string; readonly shape: number[]; readonly data: number[] } };
  readonly latencyUs: Readonly<Record<string, number>>;
  readonly summary?: object;
}
const linesOf = (stdout: string) =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

/** Runs a line of a shell, where `hone` is the program. */
async function shell(line: string): Promise<Pick<Outcome, 'code' | 'stdout' | 'stderr'>> {
  const script = `set -o pipefail; ${line.replaceAll('hone ', `"$0" "$1" `)}`;
  const args = ['-c', script, process.execPath, distPath('lib/cli/main.js')];
  return promisify(execFile)('bash', args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

const RAW = 'stream mean.plan --format rgb24 --size 8x6';
const STAGES = ['read', 'wait', 'convert', 'preprocess', 'run', 'decode', 'age'];

describe('a recorded file', () => {
  test.each([
    ['as standard input', `hone ${RAW} < video.rgb`],
    ['through a pipe with --every-frame', `cat video.rgb | hone ${RAW} --every-frame`],
  ])('%s: every frame is a line of JSON, the summary stands on standard error', async (_, line) => {
    const { code, stdout, stderr } = await shell(line);
    const lines = linesOf(stdout);
    expect(lines.map(({ frame, dropped, outputs }) => [frame, dropped, outputs.y])).toEqual(
      Array.from({ length: FRAMES }, (__, index) => [
        index,
        0,
        { type: 'float32', shape: [1, 3], data: Array(3).fill(10 * index) },
      ]),
    );
    for (const { latencyUs } of lines) {
      expect(Object.keys(latencyUs)).toEqual(STAGES);
      for (const value of Object.values(latencyUs)) expect(Number.isInteger(value) && value >= 0).toBe(true);
    }
    expect(stderr).toMatch(
      /^frames {2}5 read, 5 answered, 0 dropped \(every frame was waited for\)\n +p50 +p99\nread /,
    );
    expect(stderr).toMatch(/\nage +\S+ \S+ +\S+ \S+\n$/);
    expect(code).toBe(0);
  });

  test('through a pipe: the newest, and all are accounted for', async () => {
    const { code, stdout } = await shell(`cat video.rgb | hone ${RAW} --json`);
    const lines = linesOf(stdout);
    const answers = lines.slice(0, -1);
    expect(answers.at(-1)!.frame).toBe(FRAMES - 1);
    const dropped = answers.reduce((sum, line) => sum + line.dropped, 0);
    expect(answers.length + dropped).toBe(FRAMES);
    expect(lines.at(-1)!.summary).toMatchObject({
      frames: FRAMES,
      answered: answers.length,
      dropped,
      bytes: FRAMES * FRAME,
    });
    expect(code).toBe(0);
  });

  test('of sound says that the rate is believed; a rest is told', async () => {
    writeFileSync(
      join(folder, 'sound.raw'),
      new Uint8Array(Int16Array.from({ length: 50 }, (_, at) => 64 * at).buffer),
    );
    const { code, stdout, stderr } = await shell(
      'cat sound.raw | hone stream sum.onnx --format s16le --rate 16000 --hop 1ms',
    );
    const sums = [0, 1, 2].map((window) => (64 * ((16 * 15) / 2 + 16 * 16 * window)) / 32768);
    expect(linesOf(stdout).map(({ outputs }) => outputs.y.data)).toEqual(sums.map((sum) => [sum]));
    expect(stderr).toMatch(/^the model does not say its rate: 16000 is taken on trust/);
    expect(stderr).toMatch(/\nwarning: the last 4 bytes are not a whole frame \(16 samples, 32 bytes\)\n$/);
    expect(code).toBe(0);
  });

  test('a spec that compile noted is no longer asked for, and another rate is refused', async () => {
    const { code } = await hone(['compile', 'sum.onnx', '--sound', '{"rate":16000,"hop":8}', '--out', 'sum.plan'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const { stdout, stderr } = await shell('hone stream sum.plan --format s16le < sound.raw');
    expect(linesOf(stdout)).toHaveLength(5);
    expect(stderr).toMatch(/^frames/);
    const refused = await shell('hone stream sum.plan --format s16le --rate 44100 < sound.raw');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/E_SOUND_RATE[\s\S]*`arecord .*-r 16000`.*ffmpeg .*-ar 16000/),
    });
  });

  test('--limit ends while more would come', async () => {
    const { code, stdout, stderr } = await shell(`cat /dev/zero | hone ${RAW} --limit 2`);
    expect(linesOf(stdout)).toHaveLength(2);
    expect(stderr).toMatch(/, 2 answered, /);
    // The shell tells that `cat` was told to end.
    expect([0, 141]).toContain(code);
  });
});

describe('a live stream', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)('%s ends it with its summary and %d', async (signal, code) => {
    const { child, ended, until } = start(RAW.split(' '), { cwd: folder });
    child.stdin!.write(Buffer.alloc(FRAME, 7));
    await until(/"frame":0/);
    child.stdin!.write(Buffer.alloc(FRAME, 9));
    await until(/"frame":1/);
    child.kill(signal);
    const found = await ended;
    expect(found).toMatchObject({
      code,
      signal: null,
      stderr: expect.stringMatching(/^frames {2}2 read, 2 answered, 0 dropped\n/),
    });
    expect(linesOf(found.stdout).map(({ outputs }) => outputs.y.data[0])).toEqual([7, 9]);
  });

  test('is read while nobody takes the answers, which drop frames instead of piling up', async () => {
    const args = 'stream same.onnx --format rgb24 --size 64x48'.split(' ');
    const child = spawn(process.execPath, [distPath('lib/cli/main.js'), ...args], { cwd: folder });
    // More than all pipes hold, and 30 kB for every answer.
    const [frames, bytes] = [400, 64 * 48 * 3];
    for (let frame = 0; frame < frames; frame++) child.stdin.write(Buffer.alloc(bytes, frame));
    child.stdin.end();
    await once(child.stdin, 'finish');
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    const lines = linesOf(stdout);
    expect(lines.length).toBeLessThan(frames / 4);
    expect(lines.length + lines.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(frames);
    expect(lines.at(-1)!.outputs.y.data[0]).toBe((frames - 1) % 256);
  });

  test('ends quietly when nobody reads it', async () => {
    const child = spawn(process.execPath, [distPath('lib/cli/main.js'), ...RAW.split(' ')], { cwd: folder });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.write(Buffer.alloc(FRAME));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const feeding = setInterval(() => child.stdin.write(Buffer.alloc(FRAME)), 20);
    expect(await once(child, 'close')).toEqual([0, null]);
    clearInterval(feeding);
    expect(stderr).toBe('');
  });
});

describe('refused:', () => {
  test.each<[string, options: OptionValues, code: string, message: RegExp]>([
    ['no format', { format: undefined }, 'E_USAGE', /missing option --format/],
    [
      'a format that is none',
      { format: 'h264' },
      'E_OPTION_VALUE',
      /--format: expected rgb24, .*, s16le, found 'h264'/,
    ],
    ['a range that is none', { range: 'tv' }, 'E_OPTION_VALUE', /--range: expected limited, full, found 'tv'/],
    ['a size that is none', { size: '8' }, 'E_OPTION_VALUE', /as in 640x480, found '8'/],
    ['a size of nothing', { size: '0x6' }, 'E_OPTION_VALUE', /found '0x6'/],
    ['a size beyond reason', { size: '8x16385' }, 'E_OPTION_VALUE', /1 to 16384/],
    ['a limit of none', { limit: '0' }, 'E_OPTION_VALUE', /--limit/],
    ['a rate of none', { rate: '0' }, 'E_OPTION_VALUE', /--rate/],
    ['a sound spec that is none', { sound: '{"rates":1}' }, 'E_OPTION_UNKNOWN', /sound.rates/],
  ])('%s', async (_, options, code, message) => {
    const given = { format: 'rgb24', size: '8x6', ...options };
    await expect(printed(streamVerb, join(folder, 'mean.plan'), given)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a terminal', async () => {
    const before = process.stdin.isTTY;
    process.stdin.isTTY = true;
    try {
      const options = { format: 'rgb24', size: '8x6' };
      await expect(printed(streamVerb, join(folder, 'mean.plan'), options)).rejects.toMatchObject({
        code: 'E_STREAM',
        message: 'standard input is a terminal',
      });
    } finally {
      process.stdin.isTTY = before;
    }
  });

  test('nothing, as JSON where that was asked for', async () => {
    const { code, stdout, stderr } = await shell(`true | hone ${RAW} --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'E_STREAM', hint: expect.stringMatching(/before the pipe/) },
    });
    expect([code, stderr]).toEqual([1, '']);
  });
});
