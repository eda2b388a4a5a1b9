import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SlotHost } from '../../../lib/agent/supervisor/slot-host';
import { systemPaths, type WantedSlots } from '../../../lib/agent/system-paths';

let folder: string;
let host: SlotHost;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-slots-'));
  for (const name of ['slots', 'front']) mkdirSync(join(folder, name));
  host = new SlotHost(join(folder, 'slots'), systemPaths(folder));
});
afterEach(() => rmSync(folder, { recursive: true }));

function entry(name: string, bytes = name) {
  const plan = join(folder, `${name}.plan`);
  writeFileSync(plan, bytes, { mode: 0o640 });
  return { name, version: '1', plan, loaded: true, threads: 2 };
}
const wanted = () => JSON.parse(readFileSync(join(folder, 'front.json'), 'utf8')) as WantedSlots;
const slotOf = (name: string) => wanted().slots.find((slot) => slot.name === name)!.slot;
const resume = async (names: readonly string[]) => {
  for (const name of names) await host.lasting.resume(entry(name));
};
const eight = [...'abcdefgh'];

test('eight versions have slots, and a ninth is refused with what has them', async () => {
  await resume(eight);
  expect(wanted().slots.map(({ slot, serial }) => [slot, serial])).toEqual(eight.map((_, at) => [at, at + 1]));
  await expect(host.lasting.resume(entry('i'))).rejects.toMatchObject({
    code: 'E_SLOTS_FULL',
    details: { model: 'i', limit: 8, taken: expect.stringContaining('h version 1') },
  });
  expect(wanted().slots).toHaveLength(8);
});

test('a plan is a file of its own, which nobody can change and only an open file leads to', async () => {
  await resume(['a']);
  const path = join(folder, 'slots', '0', 'model.plan');
  writeFileSync(join(folder, 'a.plan'), 'another');
  expect(readFileSync(path, 'utf8')).toBe('a');
  expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o444, 0o700]);
  expect(wanted().slots[0]).toEqual({ name: 'a', version: '1', threads: 2, slot: 0, serial: 1 });
});

test('one that has its slot keeps it; one that lost its plan gets it back under a new number', async () => {
  await resume(['a', 'b']);
  const before = wanted();
  await resume(['a', 'b']);
  expect(wanted()).toEqual(before);
  rmSync(join(folder, 'slots', '1', 'model.plan'));
  await resume(['a', 'b']);
  expect(wanted()).toMatchObject({
    serial: 3,
    slots: [
      { name: 'a', serial: 1 },
      { name: 'b', slot: 1, serial: 3 },
    ],
  });
});

test('after a start of the machine plans are found where they lie, by their bytes, and not written again', async () => {
  await resume(['a', 'b', 'c']);
  const times = [0, 1, 2].map((slot) => statSync(join(folder, 'slots', String(slot), 'model.plan')).ino);
  rmSync(join(folder, 'front.json'));
  await resume(['c', 'a', 'b']);
  expect(['a', 'b', 'c'].map(slotOf)).toEqual([0, 1, 2]);
  expect([0, 1, 2].map((slot) => statSync(join(folder, 'slots', String(slot), 'model.plan')).ino)).toEqual(times);
});

test('numbers that a front still knows are not given again when the file is lost', async () => {
  writeFileSync(
    join(folder, 'front', 'state.json'),
    JSON.stringify({ slots: [{ serial: 41, state: 'ready' }, null, {}] }),
  );
  await resume(['a']);
  expect(wanted().serial).toBe(42);
  expect([...(await host.lasting.faults())]).toEqual([['a\x001', 'loading']]);
});

test.each(['not JSON', '7', '{"slots": 3}', '{"slots": [3]}'])(
  'what a front tells is not trusted: %s',
  async (text) => {
    writeFileSync(join(folder, 'front', 'state.json'), text);
    await resume(['a']);
    expect([...(await host.lasting.faults()).values()]).toEqual(['loading']);
  },
);
