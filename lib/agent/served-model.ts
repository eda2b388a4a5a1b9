import type { Datatype } from '../core/datatype';
import type { PlanArray, SessionLoad, SessionProfile } from '../engine/addon';
import { allocate, copyElements, elementsOf } from '../engine/arrays';
import { openSession, type Session } from '../engine/session';
import type { PlanType } from '../plan/format';
import type { OutputTensor, TensorData, TensorSpec } from '../protocol/tensor';
import type { ModelMemory, NodeSummary } from '../telemetry/sample';
import { InferenceStatistics } from './statistics';

/** Node times are taken of every inference of this number: one counter read per node, and not always. */
const PROFILE_EVERY = 16;

const DATATYPE: Readonly<Record<PlanType, Datatype>> = {
  float32: 'FP32',
  float16: 'FP16',
  int64: 'INT64',
  int32: 'INT32',
  int8: 'INT8',
  uint8: 'UINT8',
  bool: 'BOOL',
};

/** A loaded plan that answers requests over buffers of its own, one inference after the other. */
export class ServedModel {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly memory: ModelMemory;
  readonly opening: SessionLoad;
  readonly statistics: InferenceStatistics = new InferenceStatistics();
  private readonly session: Session;
  private readonly inputBuffers: readonly PlanArray[];
  private readonly outputBuffers: readonly PlanArray[];
  private readonly runBound: () => void;
  private profiled: SessionProfile = { runs: 0, nodes: [] };
  private summaries: readonly NodeSummary[] = [];

  /** @throws what `openSession` throws */
  constructor(name: string, plan: Uint8Array | string, threads: number, packedCache?: boolean | string) {
    this.name = name;
    this.session = openSession(plan, { threads, profile: PROFILE_EVERY, packedCache });
    const { inputs, outputs, memory, load } = this.session;
    this.opening = load;
    this.inputs = inputs.map(({ name: input, type, dims }) => ({ name: input, datatype: DATATYPE[type], shape: dims }));
    this.outputs = outputs.map(({ name: output, type, dims, counted }) => ({
      name: output,
      datatype: DATATYPE[type],
      // What only a run decides is -1, as the protocol has it.
      shape: dims.map((dim, axis) => (axis === counted ? -1 : dim)),
    }));
    this.memory = {
      weightBytes: memory.planBytes + memory.packedBytes,
      arenaBytes: memory.arenaBytes + memory.stateBytes,
      scratchBytes: memory.scratchBytes,
    };
    this.inputBuffers = inputs.map(allocate);
    this.outputBuffers = outputs.map(allocate);
    const byName = (infos: typeof inputs, buffers: readonly PlanArray[]) =>
      Object.fromEntries(infos.map((info, index) => [info.name, buffers[index]]));
    this.runBound = this.session.bind(byName(inputs, this.inputBuffers), byName(outputs, this.outputBuffers));
  }

  /** Copies input data, in the order of `inputs`, to where the next run reads it. */
  load(inputs: readonly TensorData[]): void {
    for (const [index, data] of inputs.entries()) copyElements(data, this.inputBuffers[index]);
  }

  /** Runs one inference and returns the outputs in the order of `outputs`; the next run writes over them. */
  run(): readonly OutputTensor[] {
    this.runBound();
    return this.session.outputs.map(({ name }, index) => {
      const shape = this.session.dimsOf(name);
      return { shape, data: this.outputBuffers[index].subarray(0, elementsOf(shape)) as TensorData };
    });
  }

  /** Nodes with their mean time over the last window in which any run was profiled; empty before that. */
  get nodes(): readonly NodeSummary[] {
    return this.summaries;
  }

  /** Ends the window of the last `windowMs` milliseconds for all statistics; the next one begins. */
  closeWindow(windowMs: number): void {
    this.statistics.closeWindow(windowMs);
    const before = this.profiled;
    const now = this.session.profile();
    const runs = now.runs - before.runs;
    if (runs === 0) return;
    const totals = now.nodes.map(({ meanNs, runs }, index) => {
      const { meanNs: known = 0, runs: knownRuns = 0 } = before.nodes[index] ?? {};
      return Math.max(0, meanNs * runs - known * knownRuns);
    });
    const sum = totals.reduce((total, ns) => total + ns, 0);
    this.summaries = now.nodes.map(({ name, op, kernel }, index) => ({
      name,
      op,
      kernel,
      meanUs: totals[index] / runs / 1000,
      share: sum === 0 ? 0 : totals[index] / sum,
    }));
    this.profiled = now;
  }

  close(): void {
    this.session.close();
  }
}
