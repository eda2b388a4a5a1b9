import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Agent } from '../../../lib/agent/agent';
import { Rng, streamSeed } from '../../../lib/core/rng';
import { mutate } from '../../onnx/mutate';
import { binaryRequest, INFER, jsonRequest, send, serveTiny, untilStatus } from '../served';
import { get, HOST, post } from './rows';

/**
 * Throws changed requests at a running agent:  node dist/test/agent/hostile/fuzz.js [--seconds N] [--seed N] [--case N]
 * Every case is made of seed and number alone; `--case` tries one again. After each hundred a good request has to be answered;
 * no answer may be a 500; at the end nothing may be left open. Failing cases are left in out/gates/http.
 */

const FOLDER = 'out/gates/http';
/** Cases at once, and between two good requests. */
const AT_ONCE = 16;
const ROUND = 96;
/** How long a case waits for its answer; most are answered at once, the others stay half a request. */
const WAIT_MS = 50;

const chunks = (text: string) => `${text.length.toString(16)};a=b\r\n${text}\r\n0\r\nX: y\r\n\r\n`;
const { headers, body } = binaryRequest();
const BINARY = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const SEEDS: readonly Buffer[] = [
  post(jsonRequest()),
  post(jsonRequest({ id: 'x', parameters: { timeout: 1_000_000, priority: 2 }, outputs: [{ name: 'y' }] })),
  post(body, BINARY.join('')),
  post(gzipSync(jsonRequest()), 'Content-Encoding: gzip\r\nAccept-Encoding: gzip, identity;q=0\r\n'),
  post('{"parameters":{"version":"1"}}', 'Authorization: Bearer x\r\n', '/v2/repository/models/tiny/load'),
  post('{"ready":true}', 'Expect: 100-continue\r\n', '/v2/repository/index'),
  `POST ${INFER} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${chunks(jsonRequest())}`,
  get('/v2/models/tiny/versions/1/stats', 'Origin: http://localhost\r\nConnection: close\r\n'),
  get('http://localhost/metrics?x=y', 'Upgrade: h2c\r\nConnection: Upgrade\r\n', 'HEAD'),
  get('*', 'Access-Control-Request-Method: POST\r\n', 'OPTIONS'),
].map((bytes) => Buffer.from(bytes));

/** One to three requests behind each other, of which at least one is changed, rarely none. */
function makeCase(seed: number, index: number): Buffer {
  const rng = new Rng(streamSeed(seed, index));
  const pick = () => SEEDS[rng.integer(0, SEEDS.length - 1)];
  const parts = Array.from({ length: rng.integer(1, 3) }, () =>
    rng.uniform() < 0.3 ? pick() : mutate(pick(), pick(), rng),
  );
  return Buffer.concat(parts);
}

/** The statuses that came of it; `none`: no answer within the time. */
function runCase(url: string, bytes: Uint8Array): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const heard: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => socket.destroy(), WAIT_MS);
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      const text = Buffer.concat(heard).toString('latin1');
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => status);
      resolve(statuses.length === 0 ? ['none'] : statuses);
    });
    socket.write(bytes);
  });
}

async function requireUnharmed(agent: Agent): Promise<void> {
  const { status } = await send(agent.url, INFER, binaryRequest());
  if (status !== 200) throw new Error(`a good request is answered with ${status}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const seconds = Number(values.seconds ?? 20);
  const only = values.case === undefined ? undefined : Number(values.case);
  console.log(`fuzzing requests: seed ${seed}, ${only === undefined ? `${seconds} s` : `case ${only}`}`);
  await using agent = await serveTiny({ limits: { headMs: 500, requestMs: 1000, checkMs: 100, lingerMs: 200 } });
  await requireUnharmed(agent);
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const outcomes: Record<string, number> = {};
  let defects = 0;
  let index = only ?? 0;
  const end = performance.now() + seconds * 1000;
  const tryNext = async () => {
    const number = index++;
    const bytes = makeCase(seed, number);
    for (const outcome of await runCase(agent.url, bytes)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome !== '500') continue;
      defects++;
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(join(FOLDER, `${seed}-${number}`), bytes);
      console.error(`defect, seed ${seed}, case ${number}: it is answered with 500`);
    }
  };
  do {
    for (let tried = 0; tried < (only === undefined ? ROUND : 1); tried += AT_ONCE)
      await Promise.all(Array.from({ length: only === undefined ? AT_ONCE : 1 }, tryNext));
    await requireUnharmed(agent);
  } while (only === undefined && performance.now() < end);
  await untilStatus(
    agent.url,
    ({ uploads, models }) => uploads === 0 && models.every(({ waiting, running }) => waiting + running === 0),
  );
  for (let waited = 0; descriptors() > before && waited < 100; waited++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const left = descriptors() - before;
  if (left > 0) console.error(`${left} descriptors are left open`);
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(
    `${index - (only ?? 0)} cases (answers: ${counts.join(', ')}); ${defects} defects; ${left} descriptors more than before`,
  );
  const isThin = only === undefined && !((outcomes[200] ?? 0) > 100 && Object.keys(outcomes).length > 6);
  if (isThin) console.error('hardly a request was answered, or refused for most reasons: the fuzzer checks nothing');
  if (defects > 0 || left > 0 || isThin) process.exitCode = 1;
}

void main();
