import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '../../lib/client/client';
import { readFrames } from '../../lib/client/frames';
import type { TelemetryFrame } from '../../lib/telemetry/sample';

/** Two frames, of names with letters of two to four bytes, as an agent sends them; a comment line and an id are no data. */
const MODELS = ['größe', '模型 🚀'];
const EVENTS = Buffer.from(MODELS.map((model) => `: hello\nid: 7\ndata: {"model":"${model}"}\n\n`).join(''));

async function modelsOf(frames: AsyncIterable<TelemetryFrame>): Promise<string[]> {
  const models: string[] = [];
  for await (const { model } of frames) models.push(model);
  return models;
}

async function* chunksOf(size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < EVENTS.length; start += size) yield EVENTS.subarray(start, start + size);
}

test('frames are the same wherever the network cuts them', async () => {
  for (let size = 1; size <= EVENTS.length; size++) expect(await modelsOf(readFrames(chunksOf(size)))).toEqual(MODELS);
});

describe('a stream that breaks', () => {
  /** What a reader gets when the agent sends one frame and then, if told so, dies. */
  async function read(dies: boolean): Promise<{ models: string[]; code: unknown }> {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(EVENTS);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = new AbortController();
    const models: string[] = [];
    let code: unknown;
    try {
      const { port } = server.address() as AddressInfo;
      for await (const { model } of connect(`http://127.0.0.1:${port}`).telemetry(stop.signal))
        if (models.push(model) === MODELS.length) {
          if (dies) server.closeAllConnections();
          else stop.abort();
        }
    } catch (error) {
      ({ code } = error as { code: unknown });
    }
    server.closeAllConnections();
    server.close();
    return { models, code };
  }

  test.each([
    ['by the agent is an error', true, 'E_AGENT_UNREACHABLE'],
    ['by the reader is an end', false, undefined],
  ])('%s', async (_, dies, code) => {
    expect(await read(dies)).toEqual({ models: MODELS, code });
  });
});
