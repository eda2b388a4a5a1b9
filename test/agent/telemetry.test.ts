import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { connect } from '../../lib/client/client';
import type { TelemetryFrame } from '../../lib/telemetry/sample';
import { ask, READINGS, sensors } from './sensed';
import { A, B, INFER, send, serveTiny, tinyPlan } from './served';

let agent: Agent;
afterEach(() => agent.close());

describe('stream', () => {
  /** Frames until one fits. */
  async function frameWhere(fits: (frame: TelemetryFrame) => boolean): Promise<TelemetryFrame> {
    const stop = new AbortController();
    for await (const frame of connect(agent.url).telemetry(stop.signal)) if (fits(frame)) return frame;
    throw new Error('the stream ended');
  }

  test('frames tell latency, nodes, memory and sensors; what is missing is null with the reason', async () => {
    agent = await serveTiny({ sensors, intervalMs: 50 });
    const asking = ask(agent.url, 40);
    const frame = await frameWhere(({ compute, nodes }) => compute !== null && nodes.length > 0);
    await asking;
    expect(frame).toMatchObject({ model: 'tiny', readings: READINGS });
    expect(frame.windowMs).toBeGreaterThanOrEqual(45);
    const reason = 'this machine has no energy sensor';
    expect(frame.energy).toEqual({ scope: null, source: null, joules: null, reason });
    const { compute, queue, nodes, memory, stamp } = frame;
    for (const latency of [compute!, queue!]) {
      expect(latency.count).toBeGreaterThan(0);
      expect(latency.p50Us).toBeGreaterThan(0);
      expect(latency.p90Us).toBeGreaterThanOrEqual(latency.p50Us);
      expect(latency.p99Us).toBeGreaterThanOrEqual(latency.p90Us);
      expect(latency.maxUs).toBeGreaterThanOrEqual(latency.p99Us);
    }
    expect(nodes.length).toBeGreaterThanOrEqual(2);
    for (const node of nodes)
      expect(node).toEqual({
        name: expect.any(String),
        op: expect.stringMatching(/_f32$|^copy_nd$/),
        kernel: expect.stringMatching(/^[a-z0-9_]+$/),
        meanUs: expect.any(Number),
        share: expect.any(Number),
        since: {
          ...{ count: expect.any(Number), meanUs: expect.any(Number) },
          ...{ p50Us: expect.any(Number), p90Us: expect.any(Number), p99Us: expect.any(Number) },
        },
      });
    expect(nodes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(memory.weightBytes).toBeGreaterThanOrEqual(tinyPlan().length);
    expect(memory.arenaBytes).toBeGreaterThan(0);
    expect(stamp.bootId.length).toBeGreaterThan(10);
    expect(frame.inferences).toBeGreaterThanOrEqual(compute!.count);
  });

  test('every reader sees the whole window, and a new one does not cut it', async () => {
    agent = await serveTiny({ sensors, intervalMs: 300 });
    const stop = new AbortController();
    const counts: number[] = [];
    const reading = (async () => {
      for await (const { compute, inferences } of connect(agent.url).telemetry(stop.signal)) {
        counts.push(compute?.count ?? 0);
        if (inferences >= 12 && compute === null) return;
      }
    })();
    for (let i = 0; i < 4; i++) {
      await ask(agent.url, 3);
      // A reader that comes in the middle of a window.
      await frameWhere(() => true);
    }
    await reading;
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12);
  });

  test('every version of every model has frames of its own; nodes that nobody ran again are stale', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hone-frames-'));
    try {
      const plans = [
        { name: 'tiny', version: '1', plan: 'a.plan' },
        { name: 'tiny', version: '2', plan: 'a.plan' },
        { name: 'other', version: '1', plan: 'a.plan' },
      ];
      writeFileSync(join(folder, 'a.plan'), tinyPlan());
      writeFileSync(join(folder, 'catalogue.json'), JSON.stringify({ models: plans }));
      agent = await startAgent({ folder, sensors, intervalMs: 50 });
      await ask(agent.url, 20);
      expect((await send(agent.url, INFER, { body: '{}' })).status).toBe(400);
      const frame = await frameWhere(
        ({ version, compute, failures, nodesAgeMs }) =>
          version === '2' && compute === null && failures === 0 && (nodesAgeMs ?? 0) > 0,
      );
      expect(frame).toMatchObject({ model: 'tiny', inferences: 20, request: null, queue: null });
      expect(frame.since).toMatchObject({
        failures: 1,
        failuresByCode: { E_REQUEST_FORMAT: 1 },
        request: { count: 20 },
      });
      expect(frame.nodes.length).toBeGreaterThanOrEqual(2);
      const { front, worker } = frame.processes;
      for (const { bytes } of [front.rss, worker.rss, front.pss, worker.pss]) expect(bytes).toBeGreaterThan(1e6);
      const seen = new Map<string, number>();
      for await (const { model, version, inferences } of connect(agent.url).telemetry()) {
        seen.set(`${model} ${version}`, inferences);
        if (seen.size === 3) break;
      }
      expect(Object.fromEntries(seen)).toEqual({ 'tiny 1': 0, 'tiny 2': 20, 'other 1': 0 });
    } finally {
      await agent.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('real sensors tell the resident memory of this process', async () => {
    agent = await serveTiny({ intervalMs: 20 });
    const { readings } = await frameWhere(() => true);
    const rss = readings.find(({ name }) => name === 'memory.process-rss')?.value;
    expect(rss! / process.memoryUsage.rss()).toBeGreaterThan(0.5);
    for (const { value, reason } of readings) expect(value === null).toBe(reason !== undefined);
  });

  test('a reader that does not read costs the agent no memory', async () => {
    const padding = READINGS.map((reading) => ({ ...reading, source: 'x'.repeat(20000) }));
    agent = await serveTiny({ sensors: { ...sensors, read: () => padding }, intervalMs: 1 });
    const socket = connectSocket(Number(new URL(agent.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET /v1/telemetry HTTP/1.1\r\nHost: localhost\r\n\r\n');
    // 100 KB a frame: far more than all socket buffers hold. A healthy reader beside it keeps getting its frames.
    let frames = 0;
    for await (const _ of connect(agent.url).telemetry()) if (++frames === 400) break;
    expect(frames).toBe(400);
    const { stream } = (
      agent as unknown as { front: { telemetry: { stream: { readers: Map<{ writableLength: number }, unknown> } } } }
    ).front.telemetry;
    expect(stream.readers.size).toBe(2);
    for (const { writableLength } of stream.readers.keys()) expect(writableLength).toBeLessThan(1 << 20);
    socket.destroy();
  });

  test('readers beyond the limit are refused', async () => {
    agent = await serveTiny({ sensors });
    for (let i = 0; i < 32; i++) await connect(agent.url).telemetry()[Symbol.asyncIterator]().next();
    expect(await send(agent.url, '/v1/telemetry')).toMatchObject({ status: 503 });
  });
});

describe('client', () => {
  test('infers with binary tensors, again and again over one connection', async () => {
    agent = await serveTiny({ sensors });
    const client = connect(agent.url);
    for (let i = 0; i < 3; i++) {
      const { sum, y } = await client.infer('tiny', { a: A, b: B });
      expect(Array.from(sum as Float32Array)).toEqual(Array.from(A, (value, index) => Math.fround(value + B[index])));
      expect(y).toHaveLength(3);
    }
    client.close();
  });

  test.each([
    ['an unknown input', (url: string) => connect(url).infer('tiny', { c: A }), 'E_INPUT_NAME'],
    ['a refusal', (url: string) => connect(url).infer('tiny', { a: A }), 'E_AGENT_REFUSED'],
    ['an unknown model', (url: string) => connect(url).metadata('none'), 'E_AGENT_REFUSED'],
    ['nobody there', () => connect('http://127.0.0.1:9').metadata('tiny'), 'E_AGENT_UNREACHABLE'],
    ['an address that is none', async () => connect('board7'), 'E_OPTION_VALUE'],
  ])('%s', async (_, call, code) => {
    agent = await serveTiny({ sensors });
    await expect(call(agent.url)).rejects.toMatchObject({ code });
  });
});
