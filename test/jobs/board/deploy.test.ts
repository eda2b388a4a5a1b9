import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFrom } from '../../../lib/boards/install';
import { openLink } from '../../../lib/boards/open-link';
import { reachBoard } from '../../../lib/boards/reach-board';
import { compile } from '../../../lib/compile/compile';
import { GraphBuilder } from '../../../lib/ir/builder';
import { deployToBoard } from '../../../lib/jobs/board/deploy-board';
import { profileOnBoard } from '../../../lib/jobs/board/profile-board';
import { prepareForEngine } from '../../../lib/jobs/prepare-for-engine';
import { PROFILE_DEFAULTS } from '../../../lib/jobs/profile';
import { describeWithSsh, type SshServer, startSshServer } from '../../boards/ssh-server';
import { distPath, hone } from '../../cli/hone';

function unaryPlan(op: string): Uint8Array {
  const builder = new GraphBuilder();
  builder.output(builder.node(op, [builder.input('x', 'float32', [1, 64])]), 'float32', [1, 64]);
  return compile(prepareForEngine(builder.build()), { sourceHash: '0'.repeat(64) }).plan;
}

const SIGMOID = unaryPlan('Sigmoid');

describeWithSsh('a board over ssh', () => {
  let server: SshServer;
  const target = { name: 'board', destination: { kind: 'ssh', host: 'board' } as const };
  const settings = { model: 'toy', threads: 1 };
  const files = () => execFileSync('find', [server.home], { encoding: 'utf8' });

  beforeAll(async () => {
    distPath('lib/agent/worker/main.js');
    server = await startSshServer();
    process.env.HONE_SSH_CONFIG = server.config;
  });
  afterAll(async () => {
    delete process.env.HONE_SSH_CONFIG;
    await server.close();
  });

  test('nothing is there before the first deployment, which is said', async () => {
    await expect(profileOnBoard(target, SIGMOID, PROFILE_DEFAULTS)).rejects.toThrow(
      expect.objectContaining({ code: 'E_BOARD_EMPTY' }),
    );
  });

  test('the first deployment brings the agent, the second what is new; outputs are this machine’s; removal leaves nothing', async () => {
    const before = files();
    const steps: string[] = [];
    const first = await deployToBoard(target, { ...settings, plan: SIGMOID, onStep: (step) => steps.push(step) });
    expect(first).toMatchObject({
      board: 'board',
      sentBytes: SIGMOID.length,
      installed: { broughtNode: false },
      started: { unchanged: false },
      outputs: { equal: true },
    });
    expect(steps).toEqual(['looking at board', 'installing the agent on board', 'starting the agent on board']);
    const again = await deployToBoard(target, { ...settings, plan: SIGMOID });
    expect(again).toMatchObject({
      sentBytes: 0,
      installed: null,
      started: null,
      outputs: { equal: true },
      url: first.url,
    });

    const found = await profileOnBoard(target, SIGMOID, { ...PROFILE_DEFAULTS, runs: 10, energy: false });
    expect(found.nodes.map(({ kernel }) => kernel)).toContainEqual(expect.stringMatching(/^unary_f32_/));

    // One whose agent was killed starts it.
    process.kill(Number(readFileSync(join(server.home, '.hone/run/agent.pid'), 'utf8')), 'SIGKILL');
    const other = await deployToBoard(target, { ...settings, plan: unaryPlan('Tanh') });
    expect(other).toMatchObject({ installed: null, started: { unchanged: false }, outputs: { equal: true } });

    const { code, stdout } = await hone(['status', '--board', 'board', '--json'], {
      env: { HONE_SSH_CONFIG: server.config },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ models: [{ name: 'toy', version: '1', state: 'ready' }] });
    expect((await hone(['logs', '--board', 'board'], { env: { HONE_SSH_CONFIG: server.config } })).stdout).toContain(
      'serves',
    );

    const link = openLink(target.destination);
    await removeFrom(link);
    await link.close();
    expect(files()).toBe(before);
  }, 120_000);

  test('two controllers at once: both end well or are refused in words, and the model is served', async () => {
    const both = await Promise.allSettled([
      deployToBoard(target, { ...settings, plan: SIGMOID }),
      deployToBoard(target, { ...settings, plan: SIGMOID }),
    ]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const end of both)
      if (end.status === 'rejected')
        expect(end.reason).toMatchObject({ code: expect.stringMatching(/^E_B(OARD|LOB)_BUSY$/) });
    const link = openLink(target.destination);
    const connection = await reachBoard(link);
    expect((await connection.list()).map(({ state }) => state)).toEqual(['READY']);
    connection.close();
    await removeFrom(link);
    await link.close();
  }, 120_000);

  test('an agent of another program counts as none', async () => {
    await deployToBoard(target, { ...settings, plan: SIGMOID });
    const link = openLink(target.destination);
    await expect(reachBoard(link, { programs: ['agent/0.0.1-000000000000'] })).rejects.toThrow(
      expect.objectContaining({ code: 'E_BOARD_EMPTY' }),
    );
    const [program] = readdirSync(join(server.home, '.hone/agent'));
    const connection = await reachBoard(link, { programs: [`agent/${program}`] });
    expect(connection.greeting.platform).toBe(`${process.platform}-${process.arch}`);
    connection.close();
    await removeFrom(link);
    await link.close();
    expect(existsSync(join(server.home, '.hone'))).toBe(false);
  }, 120_000);
});
