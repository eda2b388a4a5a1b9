import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { metricOf } from './metrics.mjs';
import { INSTALL_PYTHON, pythonFolder, sitePackages } from './python.mjs';

/** What is asked of it: model, words, rows of one request. */
const RUNS = [
  { what: '1 to 4 at once, 150 kB', model: 'trivial', words: ['--concurrency-range', '1:4:1'] },
  { what: '4 and 8 at once, synchronous', model: 'tiny', words: ['--concurrency-range', '4:8:4', '--sync'] },
  { what: '100 and 200 requests/s', model: 'tiny', words: ['--request-rate-range', '100:200:100'] },
  { what: '4 at once in requests of 4 rows', model: 'rows', words: ['-b', '4', '--concurrency-range', '4'], rows: 4 },
  { what: 'tensors in JSON', model: 'tiny', words: ['--concurrency-range', '2', '--input-tensor-format', 'json'] },
];

/** Requests of each measurement; three in a row must agree, which they do within any bound: figures are not what is judged. */
const MEASURED = ['--measurement-mode', 'count_windows', '--measurement-request-count', '200', '-s', '999'];

/** Triton's load generator, whose binary is in the package of tritonclient. */
export const perfAnalyzer = {
  name: 'perf_analyzer',
  install: `apt-get install libb64-0d, on x86-64; ${INSTALL_PYTHON}`,
  version: () => /Version (\S+)/.exec(Object.values(analyze(['--version']) ?? {}).join(' '))?.[1],
  async run({ agent, check, folder }) {
    const measured = [];
    for (const [number, { what, model, words, rows = 1 }] of RUNS.entries()) {
      const csv = join(folder, `perf-${number}.csv`);
      const before = await counts(agent.url, model);
      const asked = ['-m', model, '-u', new URL(agent.url).host, '--service-kind', 'triton', '-i', 'http', '-f', csv];
      const { status, stdout, stderr } = analyze([...asked, ...MEASURED, ...words]);
      check(`${what}: ends well`, status === 0, `${status}\n${stdout}${stderr}`.slice(-1500));
      if (status !== 0) continue;
      const after = await counts(agent.url, model);
      const levels = readCsv(csv);
      const requests = [...stdout.matchAll(/Request count: (\d+)/g)].map(([, count]) => Number(count));
      check(
        `${what}: throughput at every level`,
        levels.length > 0 && levels.every(({ throughput }) => throughput > 0),
        JSON.stringify(levels),
      );
      check(
        `${what}: every measured request was answered`,
        requests.length === levels.length && after.requests - before.requests >= requests.reduce((a, b) => a + b),
        `${requests} measured, ${after.requests - before.requests} answered`,
      );
      const failures = after.failures - before.failures;
      check(`${what}: no failure`, failures === 0 && !/failed/i.test(stdout), `${failures} failures`);
      measured.push({ what, model, rows, requests, failures, levels });
    }
    return { measured };
  },
};

function analyze(words) {
  const folder = pythonFolder();
  if (folder === undefined) return undefined;
  const cuda = join(sitePackages(folder), 'nvidia/cuda_runtime/lib');
  return runCommand(join(folder, 'bin/perf_analyzer'), words, { env: { ...process.env, LD_LIBRARY_PATH: cuda } });
}

async function counts(url, model) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const labels = { model, version: '1' };
  return {
    requests: metricOf(text, 'hone_requests_total', labels),
    failures: metricOf(text, 'hone_failures_total', labels),
  };
}

/** Levels of load in their order (the file has them by throughput), with inferences/s and milliseconds. */
function readCsv(path) {
  const [head, ...lines] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const levels = lines.map((cells) => {
    const row = Object.fromEntries(head.map((name, index) => [name, Number(cells[index])]));
    const load = row.Concurrency ?? row['Request Rate'];
    const [p50Ms, p99Ms] = [50, 99].map((percent) => row[`p${percent} latency`] / 1000);
    return { load, throughput: row['Inferences/Second'], p50Ms, p99Ms };
  });
  return levels.sort((a, b) => a.load - b.load);
}
