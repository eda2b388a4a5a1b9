import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blobOf } from '../../lib/boards/blob-source';
import { removeFrom } from '../../lib/boards/install';
import { openLink } from '../../lib/boards/open-link';
import { reachBoard } from '../../lib/boards/reach-board';
import { compile } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import { packageRoot } from '../../lib/engine/package-root';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorOf } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { type SshServer, startSshServer } from '../../test/boards/ssh-server';
import { median } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';

const ROUNDS = 10;
/** Bars: seconds of a deployment, or times of `ssh board true`; part of the rate of scp. */
const DEPLOY = { seconds: 1.5, times: 3 };
const SCP_PART = 0.8;
/** Inputs and outputs of the layer of a plan of 10 MB; bytes of the large blob, and how often it is sent. */
const WIDTH = 1600;
const LARGE = { bytes: 100e6, rounds: 5 };

/** A deployment of 10 MB beside `ssh board true`, and 100 MB beside scp, to a real sshd on this machine. */
export async function runBoardDeploy({ say }: TrialContext): Promise<TrialOutcome> {
  const server = await startSshServer();
  process.env.HONE_SSH_CONFIG = server.config;
  const link = openLink({ kind: 'ssh', host: 'board' });
  try {
    await deploySeconds(server, 0);
    const rounds: { readonly sshS: number; readonly deployS: number }[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      say(`board-deploy: round ${round} of ${ROUNDS}`);
      rounds.push({
        sshS: await seconds('ssh', ['-F', server.config, 'board', 'true']),
        deployS: await deploySeconds(server, round),
      });
    }
    const transfers = await transferRates(server, link, say);
    const [sshS, deployS] = [median(rounds.map((round) => round.sshS)), median(rounds.map((round) => round.deployS))];
    const part = median(transfers.map(({ hone, scp }) => hone / scp));
    const bar = Math.max(DEPLOY.seconds, DEPLOY.times * sshS);
    const records: TrialRecord[] = [{ planBytes: 4 * WIDTH * WIDTH, rounds, transfers, transferBytes: LARGE.bytes }];
    return {
      records,
      table: [
        ['', 'median', 'bar'],
        ['`ssh board true`', `${sshS.toFixed(2)} s`, ''],
        ['`hone deploy` of 10 MB', `${deployS.toFixed(2)} s`, `<= ${bar.toFixed(2)} s`],
        ['100 MB, part of the rate of scp', part.toFixed(2), `>= ${SCP_PART}`],
      ],
      skipped: [],
      missed: [
        ...(deployS > bar ? [`board-deploy: ${deployS.toFixed(2)} s`] : []),
        ...(part < SCP_PART ? [`board-deploy: ${part.toFixed(2)} of the rate of scp`] : []),
      ],
    };
  } finally {
    await removeFrom(link).catch(() => {});
    await link.close();
    await server.close();
  }
}

/** Seconds of a command of the program that brings a new plan of 10 MB to the board. */
async function deploySeconds({ folder }: SshServer, seed: number): Promise<number> {
  const path = join(folder, `${seed}.plan`);
  await writeFile(path, layerPlan(seed));
  const main = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
  const took = await seconds(process.execPath, [main, 'deploy', path, '--board', 'board', '--name', 'layer']);
  await rm(path);
  return took;
}

/** Plan of a layer whose weights no codebook holds. */
function layerPlan(seed: number): Uint8Array {
  const rng = new Rng(seed);
  const weights = Float32Array.from({ length: WIDTH * WIDTH }, () => rng.normal());
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [1, WIDTH]);
  const w = builder.initializer(tensorOf('float32', [WIDTH, WIDTH], weights));
  builder.output(builder.node('MatMul', [x, w]), 'float32', [1, WIDTH]);
  return compile(prepareForEngine(builder.build()), { sourceHash: '0'.repeat(64) }).plan;
}

/** Bytes per second of a large blob by the protocol and of the same bytes by scp, in turns. */
async function transferRates(server: SshServer, link: ReturnType<typeof openLink>, say: TrialContext['say']) {
  const rates: { readonly hone: number; readonly scp: number }[] = [];
  for (let round = 1; round <= LARGE.rounds; round++) {
    say(`board-deploy: 100 MB, round ${round} of ${LARGE.rounds}`);
    const bytes = randomFillSync(new Uint8Array(LARGE.bytes));
    const path = join(server.folder, 'large');
    await writeFile(path, bytes);
    const scpS = await seconds('scp', ['-q', '-F', server.config, path, 'board:large']);
    const begun = performance.now();
    const connection = await reachBoard(link);
    await connection.upload(blobOf(bytes));
    connection.close();
    const honeS = (performance.now() - begun) / 1000;
    rates.push({ hone: LARGE.bytes / honeS, scp: LARGE.bytes / scpS });
    await rm(join(server.home, 'large'));
  }
  return rates;
}

/** Seconds that a command takes. @throws when it fails */
async function seconds(command: string, words: readonly string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${words.join(' ')}: ${said}`);
  return (performance.now() - begun) / 1000;
}
