import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { GraphBuilder } from '../../lib/ir/builder';
import { writeModel } from '../../lib/onnx/write-model';
import { describeWithSsh, type SshServer, startSshServer } from '../boards/ssh-server';
import { hone, start } from './hone';

const PREPROCESS = JSON.stringify({ size: [8, 8], layout: 'NCHW', channels: 'RGB', scale: 1 / 255, mean: 0, std: 1 });

/** Mean of each colour: what goes in can be told from what comes out. */
function colours(): Uint8Array {
  const builder = new GraphBuilder();
  const means = builder.node('GlobalAveragePool', [builder.input('x', 'float32', [1, 3, 8, 8])]);
  builder.output(builder.node('Flatten', [means]), 'float32', [1, 3]);
  return writeModel(builder.build());
}

describeWithSsh('verbs that mean a board', () => {
  let server: SshServer;
  let env: Record<string, string>;
  let model: string;
  const onBoard = (...words: string[]) => hone([...words, '--board', 'board'], { env });

  beforeAll(async () => {
    server = await startSshServer();
    env = { HONE_SSH_CONFIG: server.config, HONE_CONFIG_DIR: join(server.folder, 'config') };
    model = join(server.folder, 'colours.onnx');
    writeFileSync(model, colours());
    const red = new PNG({ width: 8, height: 8 });
    red.data.set(Array.from({ length: 64 }, () => [255, 51, 0, 255]).flat());
    writeFileSync(join(server.folder, 'red.png'), PNG.sync.write(red));
    const { code, stdout, stderr } = await onBoard('deploy', model, '--preprocess', PREPROCESS);
    expect([code, stderr]).toEqual([0, expect.stringContaining('installing the agent on board')]);
    expect(stdout).toContain('its outputs equal those of this machine byte for byte');
  }, 120_000);
  afterAll(async () => {
    const { code } = await hone(['board', 'remove', 'board'], { env });
    await server.close();
    expect(code).toBe(0);
  });

  test('run: a picture of this machine, answered there', async () => {
    const { code, stdout } = await onBoard('run', join(server.folder, 'red.png'), '--json');
    expect(code).toBe(0);
    expect(Object.values(JSON.parse(stdout).outputs)).toEqual([[1, expect.closeTo(0.2, 5), 0]]);
    expect((await onBoard('run', join(server.folder, 'red.png'), '--name', 'other')).stderr).toContain('other');
  });

  test('stream: frames of standard input, answered there', async () => {
    const words = ['stream', model, '--format', 'rgb24', '--size', '8x8', '--every-frame', '--preprocess', PREPROCESS];
    const input = new Uint8Array(2 * 192).fill(255, 192);
    const { child, ended } = start([...words, '--board', 'board'], { env });
    child.stdin!.end(input);
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const answers = lines.filter(({ outputs }) => outputs !== undefined);
    expect(answers.map(({ outputs }) => Object.values<{ data: number[] }>(outputs)[0].data)).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
  });

  test('profile: every node there beside this machine', async () => {
    const { code, stdout } = await onBoard('profile', model, '--runs', '10', '--no-energy', '--json');
    expect(code).toBe(0);
    const { outputsEqual, there, here } = JSON.parse(stdout);
    expect(outputsEqual).toBe(true);
    expect(there.nodes.map(({ name }: { name: string }) => name)).toEqual(
      here.nodes.map(({ name }: { name: string }) => name),
    );
    const text = (await onBoard('profile', model, '--runs', '10', '--no-energy')).stdout;
    expect(text).toMatch(/^node .* here /m);
    expect(text).toContain('outputs equal those of this machine byte for byte');
  });

  test('bench: latency there beside this machine', async () => {
    const { code, stdout } = await onBoard('bench', model, '--pairs', '10', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({
        board: 'board',
        ratio: expect.any(Number),
        there: expect.objectContaining({ count: 10 }),
      }),
    ]);
  });

  test('doctor: what the board tells of itself', async () => {
    const { code, stdout } = await onBoard('doctor');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^native engine +ok +kernels for /m);
    expect(stdout).toMatch(/^memory\.process-rss +ok /m);
  });

  test('watch, status, unload, load, logs', async () => {
    expect((await onBoard('watch', '--frames', '1', '--json')).json()).toMatchObject({ model: 'colours' });
    expect((await onBoard('status')).stdout).toMatch(/^colours +1 +ready/m);
    expect((await onBoard('unload', 'colours')).stdout).toContain('no version is served');
    expect((await onBoard('load', 'colours')).stdout).toContain('serving colours version 1');
    expect((await onBoard('logs', '--lines', '1')).stdout.trim().split('\n')).toHaveLength(1);
  });

  test.each<[string[], string]>([
    [['bench', 'm.plan', '--times', 't.json'], '--times is for this machine'],
    [['bench', 'm.plan', '--data', 'd.npz'], '--data is for this machine'],
    [['deploy', '--stop'], 'hone unload'],
    [['profile', 'm.plan', '--affinity', '0;reboot'], '--affinity'],
  ])('%j is refused', async (words, text) => {
    const { code, stderr } = await onBoard(...words);
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(text)]);
    expect(code).not.toBe(0);
  });
});

test.each([
  ['-oProxyCommand=reboot', 'E_BOARD_DESTINATION'],
  ['pi@board; reboot', 'E_BOARD_DESTINATION'],
])('no destination is %s', async (board, code) => {
  const { stderr } = await hone(['status', `--board=${board}`]);
  expect(stderr).toContain(code);
});
