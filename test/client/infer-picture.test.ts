import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { type AgentClient, connect } from '../../lib/client/client';
import { Rng } from '../../lib/core/rng';
import { toNumbers } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { makePlan } from '../../lib/jobs/make-plan';
import { runOnce } from '../../lib/jobs/run';
import { serveTiny } from '../agent/served';
import { pictureModel, SPEC } from '../picture-model';

const BOXES = { kind: 'boxes', layout: 'yolov8', scoreThreshold: 0.2 };
const CLASSES = { kind: 'classes', top: 3 };

/** Models, by what is served of each. */
const MODELS: Readonly<Record<string, readonly [...Parameters<typeof pictureModel>]>> = {
  detector: ['float32', [1, 3, 6, 8], { 'hone.preprocess': SPEC, 'hone.outputs': BOXES }],
  classifier: ['float32', [1, 3, 6, 8], { 'hone.preprocess': SPEC, 'hone.outputs': CLASSES }],
  bytes: ['uint8', [1, 6, 8, 3], { 'hone.outputs': BOXES }],
  silent: ['float32', [1, 3, 6, 8], { 'hone.preprocess': SPEC }],
  bare: ['float32', [1, 3, 6, 8], {}],
};

let folder: string;
let agent: Agent;
let client: AgentClient;
const path = (name: string) => join(folder, name);
const rng = new Rng(4);
const PICTURE = { width: 31, height: 17, rgb: Uint8Array.from({ length: 3 * 31 * 17 }, () => rng.integer(0, 255)) };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hone-picture-'));
  const png = new PNG({ width: PICTURE.width, height: PICTURE.height });
  const rgba = Uint8Array.from({ length: 4 * 31 * 17 }, (_, at) =>
    at % 4 === 3 ? 255 : PICTURE.rgb[Math.floor(at / 4) * 3 + (at % 4)],
  );
  png.data = Buffer.from(rgba);
  writeFileSync(path('photo.png'), PNG.sync.write(png));
  writeFileSync(path('photo.jpg'), jpeg.encode({ width: 31, height: 17, data: rgba }, 90).data);
  for (const [name, model] of Object.entries(MODELS)) {
    writeFileSync(path(`${name}.onnx`), pictureModel(...model));
    writeFileSync(path(`${name}.plan`), (await makePlan(await openArtifact(path(`${name}.onnx`)), {})).plan);
  }
  agent = await startAgent({ folder });
  client = connect(agent.url);
});
afterAll(async () => {
  client.close();
  await agent.close();
  rmSync(folder, { recursive: true });
});

/** Outputs and meaning by `hone run`. */
async function ran(model: string, picture: string) {
  const { outputs, meaning } = await runOnce(await openArtifact(path(`${model}.plan`)), { input: path(picture) });
  const numbers = Object.fromEntries(
    [...outputs].map(([name, tensor]) => [name, Float32Array.from(toNumbers(tensor))]),
  );
  return { outputs: numbers, meaning: meaning?.decoded };
}

test.each(['detector', 'classifier', 'bytes', 'silent'])('%s: the same as hone run', async (model) => {
  for (const picture of ['photo.png', 'photo.jpg']) {
    const expected = await ran(model, picture);
    expect(await client.inferPicture(model, path(picture))).toEqual(expected);
    expect(await client.inferPicture(model, readFileSync(path(picture)))).toEqual(expected);
  }
  expect(await client.inferPicture(model, PICTURE)).toEqual(await ran(model, 'photo.png'));
});

test('a detector tells boxes in pixels of the picture, and a file that says nothing of its outputs no meaning', async () => {
  const { meaning } = await client.inferPicture('detector', path('photo.png'));
  expect(meaning).toMatchObject({ kind: 'boxes', picture: { width: 31, height: 17 } });
  expect((await client.inferPicture('silent', path('photo.png'))).meaning).toBeUndefined();
});

test.each<[string, string, Parameters<AgentClient['inferPicture']>[1], string, RegExp]>([
  ['no file', 'detector', '/nowhere/photo.png', 'E_FILE_NOT_FOUND', /nowhere/],
  ['no picture', 'detector', Uint8Array.of(1, 2, 3), 'E_DATA_FORMAT', /neither a PNG nor a JPEG/],
  ['half the pixels', 'detector', { ...PICTURE, height: 34 }, 'E_DATA_FORMAT', /expected 3162 bytes .* found 1581/],
  ['no extent', 'detector', { ...PICTURE, width: 0, rgb: new Uint8Array() }, 'E_DATA_FORMAT', /for 0 x 17 pixels/],
  ['a file that does not say how', 'bare', PICTURE, 'E_PREPROCESS', /the picture/],
  ['a model that is not there', 'other', PICTURE, 'E_AGENT_REFUSED', /other/],
])('%s is refused', async (_, model, picture, code, message) => {
  await expect(client.inferPicture(model, picture)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test('a model with several inputs takes no picture', async () => {
  const tiny = await serveTiny();
  const asking = connect(tiny.url);
  await expect(asking.inferPicture('tiny', PICTURE)).rejects.toMatchObject({
    code: 'E_DATA_MISMATCH',
    message: expect.stringContaining('a, b'),
  });
  asking.close();
  await tiny.close();
});
