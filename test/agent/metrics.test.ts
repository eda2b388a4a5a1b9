import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { slowPlan, slowRequest } from '../../bench/agent/networks';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { METRICS, NODE_SERIES } from '../../lib/agent/front/metrics';
import { connect } from '../../lib/client/client';
import { ask, READINGS, sensors } from './sensed';
import { parseSeries } from './series';
import {
  holdWorker,
  INFER,
  jsonRequest,
  jsonRequestWith,
  type Message,
  send,
  serveTiny,
  tinyPlan,
  untilStatus,
} from './served';

let agent: Agent;
afterEach(() => agent.close());

/** What is no HTTP, and waits for the answer. */
async function sayNonsense(): Promise<void> {
  const socket = connectSocket(Number(new URL(agent.url).port), '127.0.0.1');
  socket.write('nonsense\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  socket.destroy();
}

async function metricsText(): Promise<string> {
  return (await send(agent.url, '/metrics')).body.toString();
}

const series = async () => parseSeries(await metricsText());

/** Series once they fit. */
async function seriesWhere(fits: (found: Map<string, number>) => boolean): Promise<Map<string, number>> {
  for (;;) {
    const found = await series();
    if (fits(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Values of the series of a metric, by what stands in braces. */
function valuesOf(found: Map<string, number>, metric: string): Record<string, number> {
  const names = [...found.keys()].filter((name) => name.startsWith(`${metric}{`) || name === metric);
  return Object.fromEntries(names.map((name) => [name.slice(metric.length), found.get(name)!]));
}

const TINY = 'model="tiny",version="1"';

describe('what they tell', () => {
  test('requests, failures by code, latencies, and what sensors give', async () => {
    agent = await serveTiny({ sensors });
    await ask(agent.url, 3);
    expect((await send(agent.url, INFER, { body: '{}' })).status).toBe(400);
    expect((await send(agent.url, INFER, { body: jsonRequestWith({ shape: [1, 5] }) })).status).toBe(400);
    expect((await send(agent.url, '/v2/models/none/infer', { body: '{}' })).status).toBe(404);
    expect((await send(agent.url, '/nowhere')).status).toBe(404);
    expect((await send(agent.url, '/nowhere')).status).toBe(404);
    await sayNonsense();
    const { headers } = await send(agent.url, '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const found = await series();
    expect(valuesOf(found, 'hone_requests_total')).toEqual({ [`{${TINY}}`]: 5 });
    expect(valuesOf(found, 'hone_failures_total')).toEqual({
      [`{${TINY},code="E_REQUEST_FORMAT"}`]: 1,
      [`{${TINY},code="E_INPUT_SHAPE"}`]: 1,
      '{model="",version="",code="E_MODEL_UNKNOWN"}': 1,
      '{model="",version="",code="E_REQUEST_ROUTE"}': 2,
      '{model="",version="",code="E_REQUEST_HTTP"}': 1,
    });
    expect(valuesOf(found, 'hone_runs_total')).toEqual({ [`{${TINY}}`]: 3 });
    expect(valuesOf(found, 'hone_sensor_celsius')).toEqual({
      '{name="thermal.cpu"}': 51.5,
      '{name="thermal.gpu"}': 49,
    });
    expect(valuesOf(found, 'hone_sensor_bytes')).toEqual({
      '{name="memory.process-rss"}': 1e8,
      '{name="memory.process-peak-rss"}': 2e8,
    });
    expect(valuesOf(found, 'hone_sensor_joules_total')).toEqual({ '{name="energy.package-0"}': 12.5 });
    expect(found.get(`hone_model_memory_bytes{${TINY},kind="weights"}`)).toBeGreaterThanOrEqual(tinyPlan().length);
    expect(found.get(`hone_model_load_seconds{${TINY},cache="off"}`)).toBeGreaterThan(0);
    const sums = ['queue', 'compute', 'request'].map((phase) => {
      const name = `hone_${phase}_duration_seconds`;
      expect(found.get(`${name}_count{${TINY}}`)).toBe(3);
      expect(found.get(`${name}_bucket{${TINY},le="+Inf"}`)).toBe(3);
      return found.get(`${name}_sum{${TINY}}`)!;
    });
    expect(sums[0]).toBeGreaterThan(0);
    expect(sums[1]).toBeGreaterThan(0);
    expect(sums[2]).toBeGreaterThan(sums[0] + sums[1]);
  });

  test('the table has them all, and all of the table are there', async () => {
    agent = await serveTiny({ sensors, intervalMs: 20, version: '1.2.3', cores: 3 });
    await ask(agent.url, 20);
    await send(agent.url, INFER, { body: '{}' });
    const found = await seriesWhere((all) => [...all.keys()].some((name) => name.startsWith('hone_node_')));
    const text = await metricsText();
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    const limited = families.some((family) => family.startsWith('hone_memory_limit_bytes'));
    const expected = METRICS.filter(({ name }) => limited || name !== 'hone_memory_limit_bytes');
    expect(families.filter((family) => !family.startsWith('hone_sensor_'))).toEqual(
      expected.map(({ name, type }) => `${name} ${type}`),
    );
    for (const { name, labels, type } of METRICS) {
      const used = new Set<string>();
      for (const line of text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm')))
        for (const [, label] of line[1].matchAll(/([a-z]+)="/g)) if (label !== 'le') used.add(label);
      if (type !== 'gauge' || text.includes(`\n${name}`)) expect([...used].sort()).toEqual([...labels].sort());
    }
    const { version, platform, arch } = process;
    expect(valuesOf(found, 'hone_build_info')).toEqual({
      [`{version="1.2.3",node="${version}",platform="${platform}",arch="${arch}"}`]: 1,
    });
    expect(valuesOf(found, 'hone_cores')).toEqual({ '': 3 });
    expect(found.get(`hone_worker_up{${TINY}}`)).toBe(1);
    expect(found.get(`hone_worker_memory_bytes{${TINY},kind="rss"}`)).toBeGreaterThan(1e6);
    expect(found.get('process_resident_memory_bytes')! / process.memoryUsage.rss()).toBeGreaterThan(0.5);
    expect(found.get('process_start_time_seconds')! * 1000).toBeGreaterThan(Date.now() - 3.6e6);
    expect(found.get('process_open_fds')).toBeGreaterThan(10);
    expect(found.get('process_max_fds')).toBeGreaterThan(found.get('process_open_fds')!);
    expect(found.get('process_virtual_memory_bytes')).toBeGreaterThan(found.get('process_resident_memory_bytes')!);
    expect(found.get('process_cpu_seconds_total')).toBeGreaterThan(0.1);
  });

  test('outputs that are not finite are counted: as bits by element, in JSON as a failure', async () => {
    agent = await serveTiny({ sensors });
    const huge = Array.from({ length: 4 }, () => 3e38);
    const inputs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 4], data: huge }));
    const sum = { name: 'sum', parameters: { binary_data: true } };
    const answers = [
      await send(agent.url, INFER, { body: jsonRequest({ inputs, outputs: [sum] }) }),
      await send(agent.url, INFER, { body: jsonRequest({ inputs }) }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 422]);
    const found = await series();
    expect(valuesOf(found, 'hone_outputs_not_finite_total')).toEqual({ [`{${TINY}}`]: 4 });
    expect(valuesOf(found, 'hone_failures_total')).toEqual({ [`{${TINY},code="E_OUTPUT_NOT_FINITE"}`]: 1 });
  });

  test('of a large plan the slowest nodes have series', async () => {
    agent = await startAgent({ model: 'slow', plan: slowPlan(NODE_SERIES + 10), intervalMs: 20, sensors });
    expect((await send(agent.url, '/v2/models/slow/infer', slowRequest(1))).status).toBe(200);
    const found = await seriesWhere((all) => [...all.keys()].some((name) => name.startsWith('hone_node_')));
    const nodes = valuesOf(found, 'hone_node_duration_seconds_sum');
    expect(Object.keys(nodes)).toHaveLength(NODE_SERIES);
    // The copies at both ends are much shorter, unless the machine held one of them up.
    expect(Object.keys(nodes).filter((labels) => labels.includes('matmul')).length).toBeGreaterThanOrEqual(
      NODE_SERIES - 2,
    );
    expect(Object.values(nodes)).toEqual(Object.values(nodes).sort((a, b) => b - a));
  });

  test('a sensor that stops answering loses its series', async () => {
    const state = { readings: READINGS };
    agent = await serveTiny({ sensors: { ...sensors, read: () => [...state.readings] } });
    expect(valuesOf(await series(), 'hone_sensor_celsius')).not.toEqual({});
    state.readings = READINGS.filter(({ unit }) => unit !== 'celsius');
    expect(valuesOf(await series(), 'hone_sensor_celsius')).toEqual({});
  });

  test('a name with quotes stays one label', async () => {
    agent = await startAgent({ model: 'a "b" \\ c', plan: tinyPlan(), sensors });
    expect(Object.keys(valuesOf(await series(), 'hone_worker_up'))).toEqual(['{model="a \\"b\\" \\\\ c",version="1"}']);
  });

  test('nothing that a request carries is in them, nor in frames', async () => {
    agent = await serveTiny({ sensors, intervalMs: 20 });
    const secret = 'hunter2';
    const requests: readonly (Message & { readonly path: string })[] = [
      { path: INFER, body: jsonRequest({ id: secret }) },
      { path: INFER, body: jsonRequest({ parameters: { [secret]: secret } }) },
      { path: INFER, body: jsonRequestWith({ name: secret }) },
      { path: INFER, body: jsonRequestWith({ datatype: secret }) },
      { path: INFER, body: jsonRequestWith({ data: [secret] }) },
      { path: INFER, body: secret },
      { path: INFER, body: jsonRequest(), headers: { 'content-encoding': secret } },
      { path: `/v2/models/${secret}/infer`, body: jsonRequest() },
      { path: `/v2/models/tiny/versions/${secret}/infer`, body: jsonRequest() },
      { path: `/${secret}`, body: jsonRequest(), method: secret.toUpperCase() },
      { path: INFER, body: jsonRequest(), headers: { origin: `http://${secret}` } },
    ];
    const told: string[] = [];
    for (const { path, ...message } of requests) {
      const { status, body } = await send(agent.url, path, message).catch(() => ({ status: 0, body: Buffer.alloc(0) }));
      expect(status === 200).toBe(message.body === requests[0].body);
      told.push(body.toString());
    }
    expect(told.filter((text) => text.includes(secret)).length).toBeGreaterThan(3);
    expect(await metricsText()).not.toContain(secret);
    for await (const frame of connect(agent.url).telemetry()) {
      expect(frame.since.failures).toBeGreaterThan(3);
      expect(JSON.stringify(frame)).not.toContain(secret);
      break;
    }
  });
});

describe('under load', () => {
  const SLOW = '/v2/models/slow/infer';
  const slow = 'model="slow",version="1"';
  // With time enough for whatever is held, also on a busy machine.
  const SLOW_MODEL = { model: 'slow', plan: slowPlan(150), timeoutMs: 600_000, sensors };

  test('in flight, waiting, running, cores; refusals count as failures', async () => {
    agent = await startAgent({ ...SLOW_MODEL, queue: 2, cores: 2, threads: 2 });
    const { go } = await holdWorker(agent.url);
    const running = send(agent.url, SLOW, slowRequest(1));
    await untilStatus(agent.url, ({ models: [model] }) => model.running === 1);
    const waiting = [send(agent.url, SLOW, slowRequest(2)), send(agent.url, SLOW, slowRequest(3))];
    const found = await seriesWhere((all) => all.get(`hone_requests_waiting{${slow}}`) === 2);
    expect(found.get(`hone_requests_in_flight{${slow}}`)).toBe(3);
    expect(found.get(`hone_requests_running{${slow}}`)).toBe(1);
    expect(found.get(`hone_queue_limit{${slow}}`)).toBe(2);
    expect(found.get('hone_cores_granted')).toBe(2);
    expect(found.get('hone_connections')).toBeGreaterThanOrEqual(4);
    const refused = await send(agent.url, SLOW, slowRequest(4));
    go();
    const status = [refused, await running, ...(await Promise.all(waiting))].map((answer) => answer.status);
    expect(status).toEqual([503, 200, 200, 200]);
    const late = await send(agent.url, SLOW, slowRequest(5, { timeout: 1000 }));
    expect([503, 504]).toContain(late.status);
    const after = await seriesWhere((all) => all.get(`hone_requests_in_flight{${slow}}`) === 0);
    expect(after.get(`hone_requests_total{${slow}}`)).toBe(5);
    const codes = valuesOf(after, 'hone_failures_total');
    expect(codes[`{${slow},code="E_QUEUE_FULL"}`] + (codes[`{${slow},code="E_DEADLINE"}`] ?? 0)).toBe(2);
    expect(after.get('hone_cores_granted')).toBe(0);
  });

  test('a worker that dies: its request fails, the restart is counted', async () => {
    agent = await startAgent(SLOW_MODEL);
    const { pid } = await holdWorker(agent.url);
    const running = send(agent.url, SLOW, slowRequest(1));
    await untilStatus(agent.url, ({ models: [model] }) => model.running === 1);
    process.kill(pid, 'SIGKILL');
    expect((await running).status).toBe(503);
    const found = await seriesWhere((all) => all.get(`hone_worker_up{${slow}}`) === 1);
    expect(found.get(`hone_worker_restarts_total{${slow}}`)).toBe(1);
    expect(valuesOf(found, 'hone_failures_total')).toEqual({ [`{${slow},code="E_WORKER_ENDED"}`]: 1 });
  });

  test('what is refused while the agent stops counts for its model', async () => {
    agent = await startAgent(SLOW_MODEL);
    const { go } = await holdWorker(agent.url);
    const running = send(agent.url, SLOW, slowRequest(1));
    await untilStatus(agent.url, ({ models: [model] }) => model.running === 1);
    const closing = agent.close();
    expect((await send(agent.url, SLOW, slowRequest(2))).status).toBe(503);
    expect(valuesOf(await series(), 'hone_failures_total')).toEqual({ [`{${slow},code="E_AGENT_STOPPING"}`]: 1 });
    go();
    expect((await running).status).toBe(200);
    await closing;
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
(hasPromtool ? test : test.skip)('promtool (Debian package prometheus) finds nothing to say', async () => {
  agent = await serveTiny({ sensors, intervalMs: 20 });
  await ask(agent.url, 20);
  await send(agent.url, INFER, { body: '{}' });
  await send(agent.url, '/nowhere');
  await seriesWhere((all) => [...all.keys()].some((name) => name.startsWith('hone_node_')));
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await metricsText() });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});
