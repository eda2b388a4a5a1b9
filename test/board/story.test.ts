import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { removeFrom } from '../../lib/boards/install';
import { openLink } from '../../lib/boards/open-link';
import { probeBoard } from '../../lib/boards/probe';
import { reachBoard } from '../../lib/boards/reach-board';
import { expectedInputs } from '../../lib/data/fit-input';
import { openDataset } from '../../lib/data/open-dataset';
import { compareOutputs } from '../../lib/jobs/board/compare-outputs';
import { deployToBoard } from '../../lib/jobs/board/deploy-board';
import { profileOnBoard } from '../../lib/jobs/board/profile-board';
import { PROFILE_DEFAULTS } from '../../lib/jobs/profile';
import { readModelFile } from '../../lib/onnx/read-model';
import type { InferenceEnergy, TelemetryFrame } from '../../lib/telemetry/sample';
import { buildSampleNetwork } from '../compile/sample-networks';
import { BAR_MODELS, planOf, quantized, randomImages } from '../compile/sample-plans';
import { dataPath } from '../data';
import { type Board, startBoard } from './board';

/** Rows that hold on each CPU, and what runs on it. */
const CPUS = [
  ['cortex-a72', 'neon'],
  ['cortex-a76', 'neon_dotprod'],
  ['max', 'neon_i8mm'],
] as const;
/** Of each model; an emulated board takes some milliseconds. */
const INFERENCES = 100;
/** Most bytes of a first install on the wire, Node with it. */
const WIRE_BYTES = 45e6;

const target = { name: 'board', destination: { kind: 'ssh', host: 'board' } as const };

/** Every file of the board that installing and removing may touch: home, units, crontabs. */
async function listing(board: Board): Promise<string> {
  const places = '/home /var/lib/systemd/linger /var/spool/cron /etc/systemd /opt /usr/local /srv';
  const { stdout } = await board.run(`find ${places} -xdev 2>/dev/null | sort`, { as: 'root' });
  expect(stdout).toContain('/home/pi');
  return stdout;
}

// What is installed: up to date, which costs seconds where it was built.
beforeAll(
  () => void execFileSync(process.execPath, ['deploy/build/native.mjs', 'arm64'], { stdio: 'inherit' }),
  1_200_000,
);

describe.each(CPUS)('deploying to %s', (cpu, row) => {
  let board: Board;
  beforeAll(async () => {
    board = await startBoard({ cpu });
    process.env.HONE_SSH_CONFIG = board.sshConfig;
  });
  afterAll(async () => {
    delete process.env.HONE_SSH_CONFIG;
    await board?.close();
  });

  test('install without Node, infer, profile, restart, remove', async () => {
    const before = await listing(board);
    const link = openLink(target.destination);
    const { facts, findings } = await probeBoard(link);
    expect(facts).toMatchObject({ machine: 'aarch64', bits: 64, node: null, systemdUser: true });
    expect(findings.filter(({ fatal }) => fatal)).toEqual([]);

    const plans = await int8Plans();
    const [[model, plan], ...others] = plans;
    const first = await deployToBoard(target, { plan, model, threads: 1 });
    expect(first).toMatchObject({
      installed: { broughtNode: true },
      started: { by: 'systemd' },
      outputs: { equal: true },
    });
    expect(first.installed!.sentBytes).toBeLessThan(WIRE_BYTES);
    for (const [name, bytes] of others) {
      const next = await deployToBoard(target, { plan: bytes, model: name, threads: 1 });
      expect(next).toMatchObject({ installed: null, started: null, outputs: { equal: true } });
    }

    const connection = await reachBoard(link);
    const client = await connection.agentClient();
    for (const [name, bytes] of plans) {
      for (let seed = 0; seed < INFERENCES; seed++)
        expect(await compareOutputs(client, name, bytes, seed)).toEqual({ equal: true });
    }
    expect((await frameOf(client.telemetry(), model)).since.compute!.count).toBeGreaterThanOrEqual(INFERENCES);
    client.close();
    connection.close();

    for (const [name, bytes] of plans) {
      // Its reads are slow here: 200 of them for each model would take minutes.
      const energy = name === model;
      const found = await profileOnBoard(target, bytes, { ...PROFILE_DEFAULTS, runs: 20, seconds: 5, energy });
      expect(found.instructionSets.split(',').at(-1)).toBe(row);
      expect(found.nodes.map(({ kernel }) => kernel).join()).toContain(`_${row}`);
      if (energy) requirePower(found.energy);
      expect(found.after.readings).toContainEqual(expect.objectContaining({ name: 'thermal.cpu-emulated', value: 45 }));
    }

    await board.reboot();
    const again = await reachWhenUp(link);
    expect((await again.list()).map(({ name, state }) => [name, state])).toEqual(
      plans.map(([name]) => [name, 'READY']).sort(),
    );
    again.close();

    await removeFrom(link);
    await link.close();
    expect(await listing(board)).toBe(before);
  });
});

/** A network made here, and the first real models where the test data is there. */
async function int8Plans(): Promise<[name: string, plan: Uint8Array][]> {
  const made = planOf(await quantized(buildSampleNetwork(7), randomImages()));
  const real = BAR_MODELS.slice(0, 2).filter(({ model }) => existsSync(dataPath('models', `${model}.onnx`)));
  const plans = await Promise.all(
    real.map(async ({ model, calibration }): Promise<[string, Uint8Array]> => {
      const graph = await readModelFile(dataPath('models', `${model}.onnx`));
      const samples = await openDataset(dataPath('npz', `${calibration}.npz`), { inputs: expectedInputs(graph) });
      return [model, planOf(await quantized(graph, samples))];
    }),
  );
  return [['sample', made], ...plans];
}

/** 5 V and 1.5 A through the kernel's driver of the INA219; gross and net of an idle board that takes as much. */
function requirePower(energy: InferenceEnergy): void {
  if (energy.joules === null) throw new Error(energy.reason);
  expect(energy.windowMs / energy.inferences).toBeCloseTo((1000 * energy.joules) / 7.5, 1);
}

async function frameOf(frames: AsyncIterable<TelemetryFrame>, model: string): Promise<TelemetryFrame> {
  for await (const frame of frames) if (frame.model === model && frame.since.compute !== null) return frame;
  throw new Error('the stream of telemetry ended');
}

/** The agent after a start of the board, once its models are loaded. */
async function reachWhenUp(link: ReturnType<typeof openLink>) {
  const until = Date.now() + 300_000;
  for (;;) {
    const connection = await reachBoard(link);
    try {
      if ((await connection.list()).every(({ state }) => state === 'READY')) return connection;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    connection.close();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
