// What others wrote, against an agent that runs: Python's client of Triton and its load generator, curl, Prometheus, a browser.
//   node test/gates/agent-peers.mjs [--only PEER,...] [--record FILE]
// A peer that this machine lacks is skipped by name with what brings it; HONE_REQUIRE_PEERS=1 makes that a failure.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from './peers/chromium.mjs';
import { curl } from './peers/curl.mjs';
import { metricOf } from './peers/metrics.mjs';
import { writeModels } from './peers/models.mjs';
import { perfAnalyzer } from './peers/perf-analyzer.mjs';
import { prometheus, promtool } from './peers/prometheus.mjs';
import { tritonclient } from './peers/tritonclient.mjs';

const load = createRequire(import.meta.url);
const { describeEnvironment } = load('../../dist/bench/environment.js');
const { ServedAgent } = load('../../dist/bench/agent/served.js');

const PEERS = [tritonclient, perfAnalyzer, curl, promtool, prometheus, chromium];

const argument = (option) => {
  const at = process.argv.indexOf(option);
  return at === -1 ? undefined : process.argv[at + 1];
};
const only = argument('--only')?.split(',') ?? PEERS.map(({ name }) => name);
const unknown = only.filter((name) => !PEERS.some((peer) => peer.name === name));
if (unknown.length > 0) throw new Error(`no peer ${unknown}; there are ${PEERS.map(({ name }) => name).join(', ')}`);

const record = argument('--record');
const environment = describeEnvironment();
const folder = mkdtempSync(join(tmpdir(), 'hone-peers-'));
let [checks, failed] = [0, 0];
const skipped = [];
try {
  const models = writeModels(join(folder, 'plans'));
  for (const peer of PEERS.filter(({ name }) => only.includes(name))) {
    const version = peer.version();
    if (version === undefined) {
      skipped.push(peer.name);
      console.log(`SKIPPED ${peer.name}: not on this machine; ${peer.install}`);
    } else await runPeer(peer, version, models);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const mayLack = process.env.HONE_REQUIRE_PEERS !== '1';
const lacking = skipped.length > 0 ? `, ${skipped.length} peers skipped: ${skipped.join(', ')}` : '';
console.log(`${checks} checks of ${only.length - skipped.length} peers, ${failed} failed${lacking}`);
if (failed > 0 || checks === 0 || (skipped.length > 0 && !mayLack)) process.exitCode = 1;

/** Runs a peer against an agent of its own, so that counters begin at 0. */
async function runPeer(peer, version, models) {
  const faults = [];
  let count = 0;
  const check = (what, holds, found = '') => {
    count++;
    if (!holds) faults.push(what);
    if (!holds) console.log(`FAIL ${peer.name}: ${what}: ${found}`);
  };
  const start = performance.now();
  const prepared = await peer.prepare?.();
  const agent = await ServedAgent.serve(join(folder, 'plans'), peer.options?.(prepared) ?? []);
  let figures = {};
  try {
    figures = await peer.run({ agent, models, check, folder, prepared });
    figures = { ...countsOf(await (await fetch(`${agent.url}/metrics`)).text()), ...figures };
  } catch (error) {
    check('runs to its end', false, error.stack);
  } finally {
    await peer.release?.(prepared);
    await agent.end();
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${peer.name} ${version}: ${count} checks, ${seconds} s`);
  checks += count;
  failed += faults.length;
  const line = {
    trial: 'agent-peers',
    ...environment,
    peer: peer.name,
    version,
    ok: faults.length === 0,
    checks: count,
    failed: faults,
    ...figures,
  };
  if (record !== undefined) appendFileSync(record, `${JSON.stringify(line)}\n`);
}

/** What the agent itself counted: requests to models that have ended, and refusals and failures by code. */
function countsOf(text) {
  const failures = {};
  for (const [, code, value] of text.matchAll(/^hone_failures_total\{.*code="(\w+)".*\} (\d+)$/gm))
    failures[code] = (failures[code] ?? 0) + Number(value);
  return { requests: metricOf(text, 'hone_requests_total', {}), failures };
}
