// npm run demo:board: the whole way of a model to a board and off it again, on the virtual board, with every command as a person types it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSampleNetwork } from '../compile/sample-networks';
import { planOf, quantized, randomImages } from '../compile/sample-plans';
import { startBoard } from './board';

const MODEL = 'Raspberry Pi 5 Model B Rev 1.0 (EMULATED)';
const NOTE = 'EMULATED, not a Pi: times, power and temperature below are not those of any board.';

const say = (line: string) => console.error(line);

async function main(): Promise<void> {
  // Progress goes where it is seen: the addon for arm64 takes minutes the first time.
  say('demo:board: addon for arm64 ...');
  run('deploy/build/native.mjs', ['arm64']);
  const folder = mkdtempSync(join(tmpdir(), 'hone-demo-board-'));
  const path = join(folder, 'sample.plan');
  writeFileSync(path, planOf(await quantized(buildSampleNetwork(7), randomImages())));
  say('demo:board: starting the emulated board ...');
  const board = await startBoard({ cpu: 'cortex-a76', model: MODEL, say });
  try {
    const env = { HONE_SSH_CONFIG: board.sshConfig, HONE_CONFIG_DIR: join(folder, 'config') };
    const hone = (...words: string[]) => {
      console.log(`\n$ hone ${words.map((word) => (word === path ? 'sample.plan' : word)).join(' ')}`);
      run('dist/lib/cli/main.js', words, env);
    };
    console.log(`\n${NOTE}`);
    hone('board', 'add', 'demo', board.destination);
    hone('board', 'probe', 'demo');
    hone('deploy', path, '--board', 'demo');
    hone('status', '--board', 'demo');
    hone('watch', '--board', 'demo', '--frames', '2');
    hone('profile', path, '--board', 'demo', '--runs', '50');
    hone('board', 'remove', 'demo');
    console.log(`\n${NOTE}`);
  } finally {
    await board.close();
    rmSync(folder, { recursive: true });
  }
}

/** @throws when the command fails: what it says is on the screen */
function run(script: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status } = spawnSync(process.execPath, [script, ...words], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${script} ${words.join(' ')} ended with exit code ${status}`);
}

main().catch((error: Error) => {
  console.error(`demo:board: ${error.message}`);
  process.exit(1);
});
