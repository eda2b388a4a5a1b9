import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdGovernor } from '../../../lib/agent/measure/governor';
import { useFakeRoot } from '../../sensors/fake-root';

const root = useFakeRoot();
const PATHS = [0, 4].map((number) => `sys/devices/system/cpu/cpufreq/policy${number}`);

function write(...governors: readonly string[]): void {
  governors.forEach((governor, index) => {
    root.write({
      [`${PATHS[index]}/scaling_governor`]: `${governor}\n`,
      [`${PATHS[index]}/scaling_available_governors`]: 'ondemand powersave performance\n',
    });
  });
}

function governors(): string[] {
  return PATHS.map((path) => readFileSync(join(root.path, path, 'scaling_governor'), 'utf8').trim());
}

test('sets all cores, and gives each back what it had', async () => {
  write('ondemand', 'powersave');
  const release = holdGovernor('performance', root.path);
  expect(governors()).toEqual(['performance', 'performance']);
  await release();
  expect(governors()).toEqual(['ondemand', 'powersave']);
  await release();
});

test('gives back what was also when the process is killed', async () => {
  write('ondemand', 'powersave');
  const script = `require('./dist/lib/agent/measure/governor').holdGovernor('performance', ${JSON.stringify(root.path)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(governors()).toEqual(['performance', 'performance']);
  child.kill('SIGKILL');
  const until = Date.now() + 10_000;
  while (governors()[1] !== 'powersave' && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(governors()).toEqual(['ondemand', 'powersave']);
});

test('refuses where there is none, and what the driver does not know', () => {
  expect(() => holdGovernor('performance', root.path)).toThrow(
    expect.objectContaining({
      code: 'E_GOVERNOR',
      details: expect.objectContaining({ reason: expect.stringContaining('cpufreq') }),
    }),
  );
  write('ondemand', 'ondemand');
  expect(() => holdGovernor('turbo', root.path)).toThrow(
    expect.objectContaining({
      details: { governor: 'turbo', reason: 'the driver knows ondemand, powersave, performance' },
    }),
  );
  expect(governors()).toEqual(['ondemand', 'ondemand']);
});
