import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from './command.mjs';

const INSTALL = 'apt-get install prometheus';
const [ANSWERED, REFUSED] = [60, 7];
const LIMIT_MS = 60_000;

const versionOf = (command) =>
  /version (\d[^ ,]*)/.exec(Object.values(runCommand(command, ['--version'])).join(' '))?.[1];

/** The checker of the text format. */
export const promtool = {
  name: 'promtool',
  install: INSTALL,
  version: () => versionOf('promtool'),
  async run({ agent: { url }, models, check }) {
    for (const model of models) await sendRequests(url, model, 3, 1);
    await delay(1500);
    const text = await (await fetch(`${url}/metrics`)).text();
    const { status, stdout, stderr } = runCommand('promtool', ['check', 'metrics'], { input: text });
    check('promtool check metrics', status === 0 && stdout + stderr === '', stdout + stderr);
    return { series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length };
  },
};

/** A server that scrapes the agent every second, on a free port of loopback. */
export const prometheus = {
  name: 'prometheus',
  install: INSTALL,
  version: () => versionOf('prometheus'),
  async run({ agent: { url }, models, check, folder }) {
    const server = await startServer(url, folder);
    try {
      const tiny = models.find(({ model }) => model === 'tiny');
      await server.scraped(2);
      // In halves, a scrape between them: a rate wants two points.
      for (const part of [1, 2]) {
        await sendRequests(url, tiny, ANSWERED / 2, part === 1 ? REFUSED : 0);
        await server.scraped(3);
      }
      const same = async (query, value) => {
        const found = await server.query(query);
        check(`${query} is ${value}`, found.length === 1 && found[0] === value, found);
      };
      await same('up', 1);
      await same('min_over_time(up[5m])', 1);
      await same('hone_requests_total{model="tiny"}', ANSWERED + REFUSED);
      await same('sum(hone_failures_total{model="tiny"})', REFUSED);
      await same('hone_failures_total{model="tiny",code="E_INPUT_NAME"}', REFUSED);
      await same('hone_request_duration_seconds_count{model="tiny"}', ANSWERED);
      await same('hone_request_duration_seconds_bucket{model="tiny",le="+Inf"}', ANSWERED);
      await same('hone_requests_in_flight{model="tiny"}', 0);
      await same('count(hone_worker_up == 1)', models.length);
      const quantile = 'histogram_quantile(0.99, sum by (le) (rate(hone_request_duration_seconds_bucket[1m])))';
      const [p99] = await server.query(quantile);
      check(quantile, p99 > 0 && p99 < 60, p99);
      const [rate] = await server.query('sum(rate(hone_requests_total{model="tiny"}[1m]))');
      check('rate of requests', rate > 0, rate);
      const target = await server.target();
      check('no scrape error', target.health === 'up' && target.lastError === '', JSON.stringify(target));
      const own = await server.ownMetrics();
      const lost = [...own.matchAll(/^(prometheus_target_\w+_total) (.*)$/gm)].filter(
        ([, name, value]) => /duplicate|out_of|exceeded|invalid|failed/.test(name) && Number(value) > 0,
      );
      check(
        'no sample was lost',
        own.includes('prometheus_target_scrapes_sample_duplicate') && lost.length === 0,
        lost,
      );
      const [samples] = await server.query('scrape_samples_scraped');
      const [scrapes] = await server.query('count_over_time(up[5m])');
      const [slowest] = await server.query('max_over_time(scrape_duration_seconds[5m])');
      return {
        scrapes,
        samples,
        slowestScrapeMs: Math.round(slowest * 1000),
        answered: ANSWERED,
        refused: REFUSED,
        p99Ms: p99 * 1000,
      };
    } finally {
      await server.stop();
    }
  },
};

/** Sends requests to a model that are answered, and such as lack their inputs' names. */
async function sendRequests(url, { model, inputs }, answered, refused) {
  const parts = inputs.map(({ data }) => Buffer.from(data, 'base64'));
  const bodyOf = (rename) => {
    const ports = inputs.map(({ name, datatype, shape }, index) => ({
      name: rename(name),
      datatype,
      shape,
      parameters: { binary_data_size: parts[index].length },
    }));
    const json = Buffer.from(JSON.stringify({ inputs: ports, parameters: { binary_data_output: true } }));
    return { headers: { 'inference-header-content-length': json.length }, body: Buffer.concat([json, ...parts]) };
  };
  const send = async (rename, expected) => {
    const { status } = await fetch(`${url}/v2/models/${model}/infer`, { method: 'POST', ...bodyOf(rename) });
    if (status !== expected) throw new Error(`${model} answered ${status} where ${expected} was expected`);
  };
  for (let request = 0; request < answered; request++) await send((name) => name, 200);
  for (let request = 0; request < refused; request++) await send((name) => `no-${name}`, 400);
}

async function startServer(agentUrl, folder) {
  const config = join(folder, 'prometheus.yml');
  const target = new URL(agentUrl).host;
  writeFileSync(
    config,
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: hone, static_configs: [{ targets: ['${target}'] }] }]\n`,
  );
  mkdirSync(join(folder, 'prometheus'));
  const address = `127.0.0.1:${await freePort()}`;
  const words = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'prometheus')}`];
  const child = spawn('prometheus', [...words, `--web.listen-address=${address}`, '--log.level=error'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  const get = async (path) => (await fetch(`http://${address}${path}`)).text();
  const query = async (text) => {
    const { data, error } = JSON.parse(await get(`/api/v1/query?query=${encodeURIComponent(text)}`));
    if (data === undefined) throw new Error(`${text}: ${error}`);
    return data.result.map(({ value }) => Number(value[1]));
  };
  const count = async () => (await query('count_over_time(up[5m])').catch(() => []))[0] ?? 0;
  return {
    query,
    ownMetrics: () => get('/metrics'),
    target: async () => JSON.parse(await get('/api/v1/targets')).data.activeTargets[0],
    /** Waits until it has scraped so many times more. */
    async scraped(times) {
      const [start, end] = [await count(), Date.now() + LIMIT_MS];
      while ((await count()) < start + times) {
        if (Date.now() > end || child.exitCode !== null) throw new Error('Prometheus does not scrape');
        await delay(200);
      }
    },
    async stop() {
      child.kill();
      await exited;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
