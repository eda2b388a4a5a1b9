import { parseFacts } from '../../lib/boards/facts';
import { coresText, profileOf, readTargets } from '../../lib/boards/targets';

const TARGETS = readTargets();
const facts = (...lines: string[]) => parseFacts([...lines, 'end=yes'].join('\n'))!;

test('every profile is one, and some fit all of a platform', () => {
  expect(TARGETS.size).toBeGreaterThanOrEqual(8);
  const general = [...TARGETS.values()].filter(({ models }) => models.length === 0);
  expect(general.map(({ platform }) => platform).sort()).toEqual(['linux-arm64', 'linux-x64']);
});

test.each([
  ['Raspberry Pi Zero 2 W Rev 1.0', 'aarch64', 'Raspberry Pi Zero 2 W'],
  ['Raspberry Pi 3 Model B Plus Rev 1.3', 'aarch64', 'Raspberry Pi 3'],
  ['Raspberry Pi 4 Model B Rev 1.5', 'aarch64', 'Raspberry Pi 4'],
  ['Raspberry Pi 5 Model B Rev 1.0', 'aarch64', 'Raspberry Pi 5'],
  ['Raspberry Pi Compute Module 4 Rev 1.1', 'aarch64', 'Raspberry Pi 4'],
  ['NVIDIA Jetson Xavier NX Developer Kit', 'aarch64', 'NVIDIA Jetson Xavier'],
  ['NVIDIA Jetson Orin Nano Developer Kit', 'aarch64', 'NVIDIA Jetson Orin'],
  ['linux,dummy-virt', 'aarch64', '64-bit ARM'],
  ['', 'aarch64', '64-bit ARM'],
  ['Raspberry Pi 5', 'x86_64', 'x86-64'],
  ['', 'armv7l', undefined],
])('%j (%s) is %s', (model, machine, name) => {
  expect(profileOf(facts(`model=${model}`, `machine=${machine}`), TARGETS)?.name).toBe(name);
});

test('cores by their names, where they are known', () => {
  const parts = 'parts=0xd0b 0xd0b 0xd03 0x123';
  const makers = 'implementers=0x41 0x41 0x41 0x41';
  expect(coresText(facts(parts, makers), TARGETS)).toBe('2 x Cortex-A76 + 1 x Cortex-A53 + 1 x 0x41/0x123');
  expect(coresText(facts('cores=2', 'processor=Some CPU'), TARGETS)).toBe('2 cores, Some CPU');
  expect(coresText(facts(), TARGETS)).toBe('unknown cores');
});
