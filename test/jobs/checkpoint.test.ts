import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeZip } from '../../lib/data/zip';
import { tensorFrom } from '../../lib/ir/tensor';
import { loadCheckpoint, saveCheckpoint } from '../../lib/jobs/checkpoint';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-checkpoint-'));
  path = join(folder, 'run.checkpoint');
});
afterEach(() => rmSync(folder, { recursive: true }));

const STATE = {
  step: 17,
  tensors: new Map([
    ['layer/weight', tensorFrom('float32', [2, 3], [1, -2, 3.5, 0, 1e-30, 6])],
    ['layer/weight.velocity', tensorFrom('float32', [2, 3], [0, 0, 0, 0, 0, 1])],
    ['12', tensorFrom('float32', [], [4])],
  ]),
};

test('what is saved comes back, with the same bytes every time', async () => {
  expect(await loadCheckpoint(path)).toBeUndefined();
  await saveCheckpoint(path, STATE, { key: 'abc', history: [0.5, 0.75] });
  const first = readFileSync(path);
  const { state, note } = (await loadCheckpoint(path))!;
  expect(state.step).toBe(17);
  expect(note).toEqual({ key: 'abc', history: [0.5, 0.75] });
  expect(new Set(state.tensors.keys())).toEqual(new Set(STATE.tensors.keys()));
  for (const [name, { type, dims, bytes }] of STATE.tensors) {
    const found = state.tensors.get(name)!;
    expect([found.type, found.dims, Buffer.from(found.bytes)]).toEqual([type, dims, Buffer.from(bytes)]);
  }
  await saveCheckpoint(path, STATE, { key: 'abc', history: [0.5, 0.75] });
  expect(readFileSync(path).equals(first)).toBe(true);
});

test.each([
  ['a step of NaN', { step: Number.NaN }, /step null is no count/],
  ['a negative step', { step: -1e9 }, /step -1000000000 is no count/],
  ['a step of a half', { step: 1.5 }, /step 1\.5 is no count/],
  ['no step', { step: undefined }, /step undefined is no count/],
  ['no note', { note: undefined }, /note/],
  ['a note that is a list', { note: [] }, /note/],
])('a checkpoint with %s is refused', async (_, odd, message) => {
  const header = JSON.stringify({ format: 1, step: 3, note: {}, ...odd });
  writeFileSync(path, writeZip(new Map([['checkpoint.json', new TextEncoder().encode(header)]])));
  await expect(loadCheckpoint(path)).rejects.toMatchObject({
    code: 'E_CHECKPOINT',
    message: expect.stringMatching(message),
  });
});

test('damaged checkpoints are refused', async () => {
  await saveCheckpoint(path, STATE);
  const bytes = readFileSync(path);
  const damaged = Uint8Array.from(bytes);
  damaged[bytes.length >> 1] ^= 1;
  for (const content of [
    damaged,
    bytes.subarray(0, bytes.length - 30),
    Buffer.from('no checkpoint'),
    Buffer.alloc(0),
  ]) {
    writeFileSync(path, content);
    await expect(loadCheckpoint(path)).rejects.toMatchObject({ code: 'E_CHECKPOINT' });
  }
});
