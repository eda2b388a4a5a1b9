import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { PlanArray, SessionProfile } from '../../engine/addon';
import { allocate } from '../../engine/arrays';
import { describeCpu, openSession, type Session } from '../../engine/session';
import { tensorBytes } from '../../plan/check';
import type { PlanDescription } from '../../plan/description';
import { heldWeights } from '../../plan/held-weights';
import { planIndexLimits } from '../../plan/index-limits';
import { readPlan } from '../../plan/reader';
import { readConditions } from '../../sensors/conditions';
import { openMachineSensors } from '../../sensors/machine';
import { readMemory } from '../../sensors/memory';
import { judgeConditions } from '../../telemetry/conditions';
import type { LatencySummary } from '../../telemetry/sample';
import { quantile } from '../../telemetry/statistics';
import { measureEnergy } from './measure-energy';
import { LEAST_RUNS, type MeasuredNode, type MeasureRequest, type PlanMeasurement } from './plan-measurement';
import { seededInputs } from './seeded-inputs';

/** Runs before the first that counts, and the most milliseconds that they take. */
const WARM_UP = { runs: 20, ms: 1000 };

/**
 * What a plan costs on this machine: runs timed as a whole and node by node in turns, memory, energy where a sensor tells it, and the
 * conditions that the figures hold under. Meant for a process of its own, whose memory is then that of the plan.
 * @param plan its path
 * @throws what `openSession` throws; E_FILE_NOT_FOUND
 */
export async function measurePlan(plan: string, request: MeasureRequest): Promise<PlanMeasurement> {
  const { threads, seed } = request;
  const description = readPlan(readFileSync(plan));
  const instructionSets = describeCpu(process.env.HONE_CPU);
  const before = readConditions();
  const idleRssBytes = bytesOrNull('VmRSS');
  const plain = openSession(plan, { threads });
  const profiled = openSession(plan, { threads, profile: true });
  try {
    const inputs = seededInputs(plain.inputs, seed, planIndexLimits(description));
    const runs = [plain, profiled].map((session) => bindTo(session, inputs));
    const outputs = runOnce(plain, runs[0]);
    const times = timeInTurns(runs[0].run, runs[1].run, request);
    const peakRssBytes = bytesOrNull('VmHWM');
    const energy = request.energy
      ? await measureEnergy(openMachineSensors().energy, runs[0].run)
      : { scope: null, source: null, joules: null, reason: 'it was not asked for' };
    const after = readConditions();
    const profile = profiled.profile();
    const nodes = nodesOf(profile, description);
    return {
      ...{ instructionSets, threads, seed, energy, before, after, nodes, outputs },
      latency: summaryOf(times.plain),
      balance: balanceOf(times, nodes),
      memory: { ...plain.memory, idleRssBytes, peakRssBytes },
      load: plain.load,
      verdict: judgeConditions(before, after, threads),
    };
  } finally {
    plain.close();
    profiled.close();
  }
}

interface BoundRun {
  readonly run: () => void;
  readonly outputs: Readonly<Record<string, PlanArray>>;
}

function bindTo(session: Session, inputs: Readonly<Record<string, PlanArray>>): BoundRun {
  const outputs = Object.fromEntries(session.outputs.map((port) => [port.name, allocate(port)]));
  return { outputs, run: session.bind(inputs, outputs) };
}

/** Digests of what the first run gives; where the plan keeps states, those begin anew behind it. */
function runOnce(session: Session, { run, outputs }: BoundRun): PlanMeasurement['outputs'] {
  run();
  const digests = session.outputs.map(({ name }) => {
    const elements = session.dimsOf(name).reduce((product, extent) => product * extent, 1);
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = outputs[name];
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, elements * BYTES_PER_ELEMENT);
    return { name, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  session.reset();
  return digests;
}

/** Microseconds of runs. */
interface Times {
  readonly plain: readonly number[];
  readonly profiled: readonly number[];
}

function timeInTurns(plain: () => void, profiled: () => void, { runs, seconds }: MeasureRequest): Times {
  const begun = performance.now();
  for (let count = 0; count < WARM_UP.runs && performance.now() - begun < WARM_UP.ms; count++) plain();
  const times = { plain: [] as number[], profiled: [] as number[] };
  const until = performance.now() + 1000 * seconds;
  for (let pair = 0; pair < runs && (pair < LEAST_RUNS || performance.now() < until); pair++) {
    times.plain.push(timeUs(plain));
    times.profiled.push(timeUs(profiled));
  }
  return times;
}

function timeUs(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1000;
}

function summaryOf(times: readonly number[]): LatencySummary {
  const [p50Us, p90Us, p99Us, maxUs] = [0.5, 0.9, 0.99, 1].map((fraction) => quantile(times, fraction));
  return { count: times.length, meanUs: mean(times), p50Us, p90Us, p99Us, maxUs };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function balanceOf({ plain, profiled }: Times, nodes: readonly MeasuredNode[]): PlanMeasurement['balance'] {
  const profiledUs = mean(profiled);
  const nodesUs = nodes.reduce((sum, { meanUs }) => sum + meanUs, 0);
  return {
    plainUs: quantile(plain, 0.5),
    ...{ profiledUs, nodesUs },
    besidesUs: profiledUs - nodesUs,
    profilingRatio: quantile(
      profiled.map((us, pair) => us / plain[pair]),
      0.5,
    ),
  };
}

/** Times and bytes of every node. A branch that was not taken counts in the sum as often as it was. */
function nodesOf({ runs, nodes }: SessionProfile, plan: PlanDescription): MeasuredNode[] {
  const [{ nodes: planned, tensors }] = plan.variants;
  const weights = new Map<string, number>();
  for (const { layer, bytes } of heldWeights(plan)) weights.set(layer, (weights.get(layer) ?? 0) + bytes);
  const means = nodes.map((node) => (runs === 0 ? 0 : (node.meanNs * node.runs) / runs / 1000));
  const sum = means.reduce((total, us) => total + us, 0);
  return nodes.map(({ name, op, kernel, threads, ...node }, index) => ({
    ...{ name, op, kernel, threads },
    meanUs: means[index],
    ...{ p50Us: node.p50Ns / 1000, p90Us: node.p90Ns / 1000, p99Us: node.p99Ns / 1000, leastUs: node.leastNs / 1000 },
    share: sum === 0 ? 0 : means[index] / sum,
    weightBytes: weights.get(name) ?? 0,
    outputBytes: planned[index].outputs.reduce((total, tensor) => total + tensorBytes(tensors[tensor]), 0),
  }));
}

function bytesOrNull(field: 'VmRSS' | 'VmHWM'): number | null {
  const value = readMemory('/', field);
  return typeof value === 'number' ? value : null;
}
