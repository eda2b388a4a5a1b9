import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { FrameStream } from '../../../lib/agent/front/frame-stream';

function response(): ServerResponse {
  return Object.assign(new PassThrough(), { writeHead: () => {} }) as unknown as ServerResponse;
}

test('a reader that left before its first frame is none', () => {
  const stream = new FrameStream();
  const gone = response();
  gone.destroy();
  stream.add(gone, undefined, []);
  expect(stream.empty).toBe(true);
  stream.add(response(), undefined, []);
  expect(stream.empty).toBe(false);
});

test('nobody becomes a reader once the streams have ended', () => {
  const stream = new FrameStream();
  stream.close();
  expect(() => stream.add(response(), undefined, [])).toThrow(expect.objectContaining({ code: 'E_AGENT_STOPPING' }));
});
